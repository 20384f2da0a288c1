#!/usr/bin/env python3
"""Writes what each fuzz target begins with: seeds.py FOLDER [VECTORS].

FOLDER/NAME/ holds the inputs of fuzz_NAME, FOLDER/NAME.dict the words that it puts into them. From VECTORS, a folder of
third-party material in the form of ../shared/vectors, further inputs are taken.
"""
import json
import os
import pathlib
import struct
import sys
import tarfile

LARGEST = 8192  # bytes of a seed

TOKENS = ["<unk>", "<s>", "</s>", "<|im_end|>", "a", "b", "ab", "\u2581", "\u2581a", "0", "1", "Ġ", "Ġa", "Ċ"]


def text(value):
    raw = value.encode()
    return struct.pack("<Q", len(raw)) + raw


def gguf_value(value):
    """type, then the value; lists are arrays of their first element's type."""
    if isinstance(value, bool):
        return 7, struct.pack("<B", value)
    if isinstance(value, int):
        return 4, struct.pack("<I", value)
    if isinstance(value, float):
        return 6, struct.pack("<f", value)
    if isinstance(value, str):
        return 8, text(value)
    kind = gguf_value(value[0])[0]
    return 9, struct.pack("<IQ", kind, len(value)) + b"".join(gguf_value(v)[1] for v in value)


def gguf(values, tensors):
    """tensors: (name, dims fastest first), all F32."""
    out = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(values))
    for key, value in values.items():
        kind, raw = gguf_value(value)
        out += text(key) + struct.pack("<I", kind) + raw
    offset, data = 0, b""
    for name, dims in tensors:
        count = 1
        for dim in dims:
            count *= dim
        out += text(name) + struct.pack("<I", len(dims)) + struct.pack(f"<{len(dims)}Q", *dims) + struct.pack("<IQ", 0, offset)
        size = (4 * count + 31) // 32 * 32
        data += bytes(size)
        offset += size
    return out + bytes(-len(out) % 32) + data


def vocabulary(model):
    out = {"tokenizer.ggml.model": model, "tokenizer.ggml.tokens": TOKENS, "tokenizer.ggml.token_type": [2, 3, 3, 3] + [1] * (len(TOKENS) - 4),
           "tokenizer.ggml.bos_token_id": 1, "tokenizer.ggml.eos_token_id": 2}
    if model == "llama":
        return out | {"tokenizer.ggml.scores": [0.0 - i for i in range(len(TOKENS))]}
    return out | {"tokenizer.ggml.merges": ["a b", "Ġ a"], "tokenizer.ggml.pre": "qwen2"}


SHAPE = {"block_count": 1, "context_length": 64, "embedding_length": 8, "feed_forward_length": 8, "attention.head_count": 2, "attention.head_count_kv": 1,
         "attention.layer_norm_rms_epsilon": 1e-5, "rope.freq_base": 10000.0}
EXPERTS = {"expert_count": 2, "expert_used_count": 1, "expert_feed_forward_length": 8}
SSM = {"ssm.inner_size": 8, "ssm.conv_kernel": 4, "ssm.state_size": 4, "ssm.group_count": 1, "ssm.time_step_rank": 2}
FAMILIES = {
    "llama": {"rope.scaling.type": "linear", "rope.scaling.factor": 2.0},
    "qwen2": {"rope.scaling.type": "yarn", "rope.scaling.factor": 4.0, "rope.scaling.original_context_length": 32},
    "qwen2moe": EXPERTS | {"expert_shared_feed_forward_length": 8},
    "qwen3": {"attention.key_length": 4, "attention.value_length": 4},
    "qwen3moe": EXPERTS,
    "granite": {"attention.scale": 0.5, "embedding_scale": 2.0, "residual_scale": 0.5, "logit_scale": 4.0},
    "gemma3": {"attention.sliding_window": 4, "final_logit_softcapping": 30.0},
    "gemma4": EXPERTS | {"attention.sliding_window": 4, "attention.sliding_window_pattern": [True], "embedding_length_per_layer_input": 4, "attention.shared_kv_layers": 0,
                         "attention.key_length_swa": 4},
    "gpt-oss": EXPERTS | {"attention.sliding_window": 4},
    "lfm2": {"shortconv.l_cache": 3},
    "granitehybrid": EXPERTS | SSM | {"rope.scaling.finetuned": False},
    "qwen3next": EXPERTS | SSM | {"full_attention_interval": 1, "expert_shared_feed_forward_length": 8},
    "qwen35": SSM | {"attention.recurrent_layers": [True], "nextn_predict_layers": 0},
    "glm4moe": EXPERTS | {"expert_gating_func": 2, "expert_group_count": 1, "expert_group_used_count": 1, "leading_dense_block_count": 0},
    "deepseek2": EXPERTS | {"attention.kv_lora_rank": 4, "attention.q_lora_rank": 4, "attention.key_length_mla": 4, "attention.value_length_mla": 4,
                            "rope.dimension_count": 2, "expert_group_count": 1, "expert_group_used_count": 1},
}
LAYER = [("attn_norm", [8]), ("attn_q", [8, 8]), ("attn_k", [8, 4]), ("attn_v", [8, 4]), ("attn_output", [8, 8]), ("ffn_norm", [8]), ("ffn_gate", [8, 8]),
         ("ffn_up", [8, 8]), ("ffn_down", [8, 8])]


def ggufs():
    embedding = ("token_embd.weight", [8, len(TOKENS)])
    for family, own in FAMILIES.items():
        for model in ("llama", "gpt2"):
            values = {"general.architecture": family} | {f"{family}.{key}": value for key, value in (SHAPE | own).items()} | vocabulary(model)
            yield gguf(values, [embedding])
            whole = [embedding, ("output_norm.weight", [8])] + [(f"blk.0.{name}.weight", dims) for name, dims in LAYER]
            if family in ("llama", "qwen2", "granite"):
                yield gguf(values | {"general.sampling.top_k": 40.0, "general.file_type": 0, "general.alignment": 32, "tokenizer.chat_template": "{{ messages }}"}, whole)


def safetensors():
    header = {"__metadata__": {"format": "pt"}, "b": {"dtype": "BF16", "shape": [2, 3], "data_offsets": [8, 20]}, "a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
              "e": {"dtype": "I64", "shape": [0], "data_offsets": [20, 20]}, "s": {"dtype": "F8_E4M3", "shape": [], "data_offsets": [20, 21]}}
    raw = json.dumps(header).encode()
    yield b"\0" + struct.pack("<Q", len(raw)) + raw + bytes(21)
    for shards in ({"a": "model-1", "c": "model-2"}, {"b": "model-2"}, {"a": "model-2"}, {"a": "../model-1"}):
        yield b"\1" + json.dumps({"metadata": {"total_size": 9, "more": [{}]}, "weight_map": shards}).encode()


def converted():
    """Index, NUL, parts: the head of a GGUF, and a few values."""
    for raw in ggufs():
        at = (len(raw) + 63) // 64 * 64
        part = [at, 32]
        index = {"version": 1, "target": "ref", "packing": "0", "layout": "0", "source": "gguf", "name": "m", "texts": {"gguf": [0, len(raw)]}, "has": ["output.weight"],
                 "sizes": {"format": "F32", "parameters": 9, "active_parameters": 8, "bytes_per_token": 7}, "values": {"output_norm.weight": {"dims": [8], "at": part}},
                 "matrices": {"token_embd.weight": {"format": "F32", "rows": 14, "cols": 8, "count": 1, "inputs": 8, "order": part, "scales": [at, 4]}}, "checksums": [at, 8]}
        yield json.dumps(index, separators=(",", ":")).encode() + b"\0" + raw + bytes(at - len(raw)) + bytes(64)


DATA = pathlib.Path(__file__).resolve().parents[1] / "data"


def tiktokens():
    """A text behind its length, and a model: the made one, and a few tokens."""
    for content in ("the ab 中国 1234\n", "aaaab"):
        for model in ((DATA / "tokenizers/tiktoken.model").read_bytes(), b"YQ== 0\nYWE= 1\r\nYWFh 2\nYg== 3\nYWI= 4\n"):
            yield bytes([len(content.encode())]) + content.encode() + model


def sentence_pieces():
    """A text behind its length, and a model: two of pieces, a charsmap among them, and the bare messages."""
    content = "the ﬁ １ e\u0301\n\t <unk></s>".encode()
    pieces = b"".join(b"\x0a" + bytes([len(p)]) + p for p in (b"\x0a\x05<unk>\x18\x02", b"\x0a\x04</s>\x18\x03", b"\x0a\x01a\x15\0\0\x80\xbf", b"\x0a\x03\xe2\x96\x81"))
    models = [(DATA / "tokenizers" / name).read_bytes() for name in ("rules.model", "bpe.model")]
    for model in [*models, pieces, pieces + b"\x12\x05\x18\x02\xa8\x02\x02", pieces + b"\x1a\x06\x18\0\x20\0\x28\1"]:
        yield bytes([len(content)]) + content + model


def tokenizer_jsons():
    added = [{"id": 0, "content": "<|end|>", "single_word": False, "lstrip": False, "rstrip": True, "normalized": False, "special": True}]
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    split = {"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": False}
    models = [
        ({"type": "BPE", "vocab": {"<|end|>": 0, "a": 1, "b": 2, "ab": 3, "Ġ": 4}, "merges": ["a b"], "unk_token": None, "byte_fallback": False, "ignore_merges": False},
         {"type": "NFC"}, byte_level, {"type": "ByteLevel"}),
        ({"type": "BPE", "vocab": {"<|end|>": 0, "▁": 1, "a": 2, "▁a": 3, "<0x0A>": 4}, "merges": [["▁", "a"]], "unk_token": "<|end|>", "fuse_unk": True, "byte_fallback": True},
         {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"}, {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]}, None,
         {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"},
                                           {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}),
        ({"type": "Unigram", "unk_id": 0, "vocab": [["<|end|>", 0], ["▁", -1.5], ["a", -2], ["▁a", -2.5]], "byte_fallback": False},
         {"type": "Precompiled", "precompiled_charsmap": ""}, {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True},
         {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}),
        ({"type": "WordPiece", "vocab": {"<|end|>": 0, "a": 1, "##b": 2}, "unk_token": "<|end|>", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100},
         {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True}, {"type": "BertPreTokenizer"},
         {"type": "WordPiece", "prefix": "##", "cleanup": True}),
    ]
    for model, normalizer, pre, decoder in models:
        for splitter in (pre, {"type": "Sequence", "pretokenizers": [split, pre] if pre else [split]}):
            whole = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": normalizer, "pre_tokenizer": splitter, "post_processor": None,
                     "decoder": decoder, "model": model}
            config = {"bos_token": None, "eos_token": "<|end|>", "add_bos_token": False}
            yield json.dumps(whole, ensure_ascii=False).encode() + "\0a ab <|end|> é\n\0".encode() + json.dumps(config).encode()


TEMPLATES = [
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + (m.content or '') }}{% if not loop.last %}, {% endif %}{% endfor %}",
    "{%- macro show(x, deep=0) -%}{% if x is mapping %}{% for k, v in x.items()|sort %}{{ k }}={{ show(v, deep + 1) }}{% endfor %}{% else %}{{ x|tojson(indent=2) }}{% endif %}{%- endmacro -%}{{ show(tools[0]) }}",
    "{% set ns = namespace(n=0, s='') %}{% for i in range(5) if i % 2 == 0 %}{% set ns.n = ns.n + i ** 2 // 3 %}{% if loop.index0 > 3 %}{% break %}{% endif %}{% else %}none{% endfor %}{{ ns.n }}",
    "{{ messages[1:]|map(attribute='role')|join(', ')|upper }}{{ messages|selectattr('role', 'equalto', 'user')|list|length }}{{ messages[-1]['content'].split(' ')[0].strip()|title|replace('a', 'b', 1) }}",
    "{% if tools is defined and tools is not none and enable_thinking %}{{ strftime_now('%d %b %Y') }}{{ raise_exception('no ' ~ bos_token) }}{% endif %}",
    "{% set x = {'a': [1, 2.5, none, true], 'b': 'c'} %}{{ x.a[::-1] }}{{ x['b'].startswith('c') and 'y' or 'n' }}{{ '%s %d' % ('a', 3) }}{{ x|items|list }}{{ 'ab' * 3 }}{{ x.a|first|string|indent(2)|trim }}",
    "{% call(y) m() %}{{ y }}{% endcall %}{% macro m() %}{{ caller(1) }}{% endmacro %}{# note #}{% raw %}{{ }}{% endraw %}{% filter upper %}x{% endfilter %}{% generation %}g{% endgeneration %}{{ [3, 1]|sort(reverse=true)|unique|batch(2)|list }}",
]

CALLS = {
    "hermes": "<think>so</think>Hi <tool_call>\n{\"name\": \"f\", \"arguments\": {\"s\": \"x\"}}\n</tool_call>",
    "qwen3_coder": "<tool_call>\n<function=f>\n<parameter=s>\nx\n</parameter>\n<parameter=n>\n1\n</parameter>\n</function>\n</tool_call>",
    "seed_oss": "<seed:think>so</seed:think><seed:tool_call>\n<function=f>\n<parameter=s>x</parameter>\n</function>\n</seed:tool_call>",
    "llama3_json": "<|python_tag|>{\"name\": \"f\", \"parameters\": {\"s\": \"x\"}}; {\"name\": \"f\", \"parameters\": {}}",
    "mistral": "[THINK]so[/THINK][TOOL_CALLS]f[ARGS]{\"s\": \"x\"}[TOOL_CALLS][{\"name\": \"f\", \"arguments\": {}}]",
    "granite": "<|tool_call|>[{\"name\": \"f\", \"arguments\": {\"s\": \"x\"}}, {\"name\": \"f\", \"arguments\": {}}]",
    "granite4": "<tool_call>{\"name\": \"f\", \"arguments\": {\"s\": \"x\"}}</tool_call>",
    "phi4_mini": "functools[{\"name\": \"f\", \"arguments\": {\"s\": \"x\"}}]",
    "lfm2": "<|tool_call_start|>[f(s='it\\'s', n=1), f()]<|tool_call_end|>",
    "pythonic": "[f(s=\"x\", n={'a': [1, None]}), f()]",
    "olmo3": "<function_calls>f(s='x')\nf(n=2)</function_calls>",
    "kimi_k2": "<|tool_calls_section_begin|><|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>{\"s\": 1}<|tool_call_end|><|tool_calls_section_end|>",
    "deepseek_v3": "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>f\n```json\n{\"s\": 1}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
    "deepseek_v31": "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>f<｜tool▁sep｜>{\"s\": 1}<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
    "deepseek_v32": "<｜DSML｜function_calls>\n<｜DSML｜invoke name=\"f\">\n<｜DSML｜parameter name=\"s\" string=\"true\">x</｜DSML｜parameter>\n</｜DSML｜invoke>\n</｜DSML｜function_calls>",
    "minimax_m2": "<minimax:tool_call><invoke name=\"f\"><parameter name=\"s\">x</parameter></invoke><invoke name=\"f\"></invoke></minimax:tool_call>",
    "glm4": "<tool_call>f\n<arg_key>s</arg_key>\n<arg_value>x</arg_value>\n</tool_call>",
    "gemma4": "<|channel>thought\nso<channel|><|tool_call>call:f{s:<|\"|>x<|\"|>,n:{a:[1,true]}}<tool_call|>",
    "functiongemma": "<start_function_call>call:f{s:<escape>x<escape>}<end_function_call>",
    "harmony": "<|channel|>analysis<|message|>so<|end|><|start|>assistant<|channel|>commentary to=functions.f <|constrain|>json<|message|>{\"s\": \"x\"}<|call|>",
}
N_DIALECTS = 40  # more than there are: each output is tried under all

SCHEMAS = [
    {"type": "object", "properties": {"a": {"type": "integer", "minimum": -5, "exclusiveMaximum": 300}, "b": {"enum": ["x", 1, None]}}, "required": ["a"], "additionalProperties": False},
    {"type": "array", "items": {"anyOf": [{"type": "string", "minLength": 1, "maxLength": 3, "pattern": "^a[b-d]*$"}, {"const": {"k": [1.5]}}]}, "minItems": 1, "maxItems": 4, "uniqueItems": False},
    {"$defs": {"n": {"type": ["object", "null"], "properties": {"next": {"$ref": "#/$defs/n"}}}}, "$ref": "#/$defs/n"},
    {"allOf": [{"type": "number", "multipleOf": 0.5}, {"minimum": 0, "maximum": 10}]},
    {"oneOf": [{"type": "boolean"}, {"type": "string", "format": "date"}], "title": "t", "description": "d", "default": True},
    {"type": "object", "patternProperties": {"^x_": {"type": "string"}}, "additionalProperties": {"type": "integer"}, "minProperties": 1, "maxProperties": 3},
    {"type": "array", "prefixItems": [{"type": "string"}, {"type": "number"}], "items": False},
    {"type": "string", "pattern": "\\d{3}-[A-Z]+"},
    {"type": "object", "properties": {"a": True, "b": False}, "propertyNames": {"maxLength": 2}, "dependentRequired": {"a": ["c"]}},
    {"if": {"properties": {"k": {"const": 1}}}, "then": {"required": ["m"]}, "not": {"type": "null"}},
]
REGEXES = ["^a(b|c)*d+?$", "[^\\d\\s]{2,4}\\w", "(?:x|yz){0,3}\\.\\u00e9", "\\p{L}+|\\P{Nd}", "^$|.", "a{3}b{2,}c{0}", "\\bword\\B", "[\\u{1F600}-\\u{1F64F}a-]"]
GRAMMARS = [
    "root ::= word (\" \" word)* \".\"\nword ::= [a-z]+ | [A-Z] [a-z]*",
    "root ::= \"(\" root \")\" | [0-9]{1,3} | \"x\" # note",
    "root ::= [^<]* \"<tool>\" \"a\" [^\\n]{0,300} \"\\n\"",
    "root ::= a b? c\na ::= \"x\" a | \"\"\nb ::= a \"y\"\nc ::= [a-z0-9]{2,40} \"\\x41\\u00e9\\\"\" .",
]
REQUESTS = [
    "GET /v1/models?n=3&a=%41+b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n{\"a\"GET http://b/c HTTP/1.0\r\n\r\n",
    "POST /%2e%2e/%00 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Encoding: identity\r\n\r\n3;x=y\r\nabc\r\n0\r\nT: u\r\n\r\nHEAD / HTTP/1.1\r\nhost: a\r\n\r\n",
]
EVENTS = ["id: 1\nevent: delta\ndata: {\"a\": 1}\ndata: more\n\n", "\ufeffdata:x\r\n\r\n: note\rdata\r\rretry: 5\nid\ndata: y\n\n", "data: [DONE]\n\n"]
UPDATES = [{"update_id": 7, "message": {"message_id": 1, "from": {"id": 42, "is_bot": False, "first_name": "Ada"}, "chat": {"id": 42, "type": "private"}, "text": "Good evening"}},
           {"update_id": 8, "edited_message": {"message_id": 1, "chat": {"id": -100, "type": "group"}, "caption": "x", "photo": []}}, {"update_id": 9, "poll": {"id": "1"}},
           {"update_id": 10, "message": {"message_id": 2, "from": {"id": 42}, "chat": {"id": -100, "type": "group"}, "text": "\U0001f642 @hearth_bot go on", "entities": [{"type": "mention", "offset": 3, "length": 11}],
                                         "reply_to_message": {"message_id": 1, "from": {"id": 7, "first_name": "Hearth"}, "caption": "x", "document": {"file_id": "f", "mime_type": "text/plain"}}, "quote": {"text": "x"}}},
           {"update_id": 11, "callback_query": {"id": "5", "from": {"id": 42}, "data": "approval:x:grant", "message": {"message_id": 3, "chat": {"id": 42, "type": "private"}}}},
           {"update_id": 12, "message": {"message_id": 4, "chat": {"id": -100, "type": "group"}, "migrate_to_chat_id": -1001}}]
DELIVERIES = [{"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{"field": "messages", "value": {
    "metadata": {"phone_number_id": "77"}, "contacts": [{"wa_id": "42", "profile": {"name": "Ada"}}],
    "messages": [{"from": "42", "id": "w1", "timestamp": "1750000000", "type": "text", "text": {"body": "Good evening"}},
                 {"from": "42", "id": "w2", "group_id": "g", "type": "edit", "edit": {"original_message_id": "w1", "message": {"type": "image", "image": {"caption": "x"}}}},
                 {"from_user_id": "DE.1", "id": "w3", "type": "interactive", "interactive": {"type": "button_reply", "button_reply": {"id": "a", "title": "Deny"}}}],
    "statuses": [{"id": "w4", "status": "failed", "recipient_id": "42", "biz_opaque_callback_data": "o", "errors": [{"code": 131026, "error_data": {"details": "no"}}]}]}}]}]}]
SETTINGS = ["server:\n  port: 8080\n  host: '127.0.0.1'\nmodel:\n  path: \"/m\"\nlist: [a, 'b', 3]\n", "a: &x {b: 1, c: !!str 2}\nd: *x\n---\ne: |\n  text\n", "# note\nk: ~\nm:\n- 1\n- {n: 2}\n"]

WORDS = {
    "gguf": [key for own in FAMILIES.values() for key in own] + [*SHAPE, *FAMILIES, *vocabulary("llama"), *vocabulary("gpt2")],
    "safetensors": ["F64", "F16", "F8_E5M2", "F8_E8M0", "U64", "BOOL", "\"data_offsets\":[", "\"shape\":[", "\"dtype\":", "__metadata__", "weight_map", "metadata", "18446744073709551615"],
    "converted": ["\"order\":[", "\"scales\":[", "\"dims\":[", "\"inputs\":", "\"source\":\"checkpoint\"", "config.json", "tokenizer.json", "Q4_K", "INT4", "18446744073709551615"],
    "tokenizer_json": ["Sequence", "Lowercase", "StripAccents", "NFD", "NFKC", "Precompiled", "precompiled_charsmap", "Strip", "Punctuation", "Digits", "individual_digits", "Whitespace", "WhitespaceSplit", "Isolated", "Removed",
                       "MergedWithNext", "Contiguous", "Regex", "first", "never", "byte_fallback", "ignore_merges", "add_prefix_space", "\\s+", "true", "false", "null", "-1", "1e400"],
    "tiktoken": ["YQ==", "YWE=", "\n", "\r\n", " 1", "== 2\n"],
    "sentence_piece": ["<unk>", "<0x0A>", "\u2581", "\u2581a", "\x0a\x05", "\x18\x02", "\x12\x02", "\x1a\x02", "\x28\x00"],
    "chat_template": ["{{", "}}", "{%", "%}", "{%-", "-%}", "{#", "#}", "for", "in", "if", "elif", "else", "endfor", "endif", "set", "endset", "macro", "endmacro", "recursive", "loop(", "loop.cycle(",
                      "loop.previtem", "is", "not", "and", "or", "none", "namespace(", "range(", "dict(", "|tojson", "|map(", "|reject(", "|groupby(", "|slice(", "|batch(", "|center(", "|wordwrap(", "|urlencode", "|xmlattr", "|title", "|truncate(", "cycler(", "joiner(", "varargs", "kwargs", "caller(", "{% call", "{% filter", "|default(", "|safe", "|e", "|int", "|float", "|abs",
                      "|round(", "|last", "|max", "|sum", "|dictsort", "|wordcount", "|list", "|format(", ".format(", ".join(", ".rstrip(", ".find(", ".items()", ".get(", "messages", "content", "**",
                      "9999999999999999999", "1e308", "-9223372036854775808"],
    "output_parser": sorted({part for call in CALLS.values() for part in call.replace("<", "\n<").replace(">", ">\n").replace("[", "\n[").replace("]", "]\n").splitlines() if part.strip()}),
    "json_schema": ["type", "object", "array", "string", "number", "integer", "boolean", "null", "properties", "required", "additionalProperties", "unevaluatedProperties", "unevaluatedItems", "prefixItems",
                    "items", "contains", "minContains", "enum", "const", "anyOf", "oneOf", "allOf", "not", "$ref", "$defs", "definitions", "$anchor", "#/", "minimum", "maximum", "exclusiveMinimum",
                    "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "pattern", "format", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "patternProperties",
                    "propertyNames", "dependentSchemas", "true", "false", "1e30", "0.001", "-0"],
    "regex": ["(?:", "(?=", "(?<n>", "\\d", "\\W", "\\s", "\\b", "\\u{10FFFF}", "\\ud83d\\ude00", "\\x41", "\\p{", "{2,5}", "[^", "*?", "|", "\\cA", "\\0", "\\1"],
    "ebnf": ["::=", "root", "[^", "{1,3}", "\\x", "\\u", "\\U0010FFFF", '"a"', "|", "*", "+", "?", "#", ".", "<tool>"],
    "json": ["\\u", "\\ud83d", "1e400", "-0", "true", "null", "18446744073709551616", "[[", '{"a":'],
    "http_request": ["Host:", "Content-Length:", "Transfer-Encoding: chunked", "Connection: keep-alive", "Upgrade:", "Expect:", "HTTP/1.1", "HTTP/1.0", "\r\n", "\r\n\r\n", "://", "%0d%0a", "?n="],
    "sse": ["data:", "event:", "id:", "retry:", "\r", "\r\n", "\ufeff"],
    "telegram_update": ["update_id", "message", "edited_message", "from", "chat", "id", "is_bot", "type", "private", "text", "caption", "photo", "first_name", "9223372036854775808", "1.0", "entities", "offset", "length", "mention",
                        "text_mention", "bot_command", "@hearth_bot", "callback_query", "data", "reply_to_message", "quote", "migrate_to_chat_id", "document", "file_id"],
    "whatsapp_update": ["entry", "changes", "field", "messages", "value", "statuses", "metadata", "phone_number_id", "contacts", "wa_id", "user_id", "profile", "name", "from", "from_user_id", "group_id", "id", "timestamp", "type",
                        "text", "body", "image", "caption", "interactive", "button_reply", "list_reply", "title", "button", "edit", "message", "original_message_id", "unsupported", "status", "read", "failed", "errors", "code",
                        "error_data", "details", "biz_opaque_callback_data", "253402300800"],
    "when": ["every ", "other ", "day ", "2d@2026-03-04", "3w@2026-03-04", "weekday", "monday", "tous les ", "lundi", " at ", " à ", "8am", "18:30", "8h30", "in ", "dans ", "minutes", "tomorrow", "demain", "next ", "last ", "day of the month", "1st", "2026-07-14", "3/4", "noon", "midi",
             "half an hour", "* * * * *", "*/15", "1-5", "L", "LW", "5L", "1#2", "@daily", "soir", "morning", "march", "juillet", "premier"],
    "settings": ["? ", "- ", ": ", "&a", "*a", "!!int", "|-", ">+", "<<", "---", "...", "%YAML 1.2", "{", "}", "[", "]"],
}

TIMES = ["every other day at 8am", "every 3 weeks on friday at noon", "0 8 * * * 2d@2026-03-04", "every weekday at 8am", "mondays and thursdays at 18:30", "every 15 minutes", "on the last day of every month at noon", "the first monday of every month at 9am", "tomorrow at 7:30 pm", "in half an hour", "next friday at 18:00",
         "on 3/4 at 8am", "at 8", "tous les lundis à 9h", "le 14 juillet à 8h", "dans deux heures", "du lundi au vendredi à 8 heures 15", "30 8 * * 1-5", "0 12 L * *", "0 9 * * 1#1", "2026-07-14T08:00"]

WORDS["call_syntax"] = WORDS["json_schema"]


def escaped(word):
    """As a dictionary of libFuzzer has it."""
    return '"' + "".join(chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\x{b:02x}" for b in word.encode()) + '"'


def own():
    first = bytes(1)
    return {
        "gguf": list(ggufs()),
        "safetensors": list(safetensors()),
        "converted": list(converted()),
        "tokenizer_json": list(tokenizer_jsons()),
        "sentence_piece": list(sentence_pieces()),
        "tiktoken": list(tiktokens()),
        "chat_template": [first + t.encode() + b"\0a <|im_end|> b" for t in [*TEMPLATES, *(case["template"] for case in json.loads((DATA / "templates/jinja.json").read_text()))]] + [bytes([kind]) + b"Hi <|im_end|> [INST] <tool_" for kind in (192, 193, 194)],
        "output_parser": [bytes([dialect, flags, 7]) + call.encode() for call in CALLS.values() for dialect, flags in [(d, 1) for d in range(N_DIALECTS)] + [(3, 0), (3, 3), (3, 6)]],
        "json_schema": [bytes([option]) + json.dumps(schema).encode() for schema in SCHEMAS for option in range(3)],
        "call_syntax": [bytes([dialect, number]) + json.dumps(schema).encode() for dialect in range(N_DIALECTS) for number, schema in enumerate(SCHEMAS) if schema.get("type") == "object"],
        "regex": [r.encode() + b"\0ab cd 12" for r in REGEXES],
        "ebnf": [first + g.encode() for g in GRAMMARS],
        "json": [b"\x1f" + s for s in (b'{"a": [1, -2.5e3, "\\u00e9\\ud83d\\ude00", null, true], "a": {}}', b"[[[]]]", b'"x"')],
        "http_request": [first + r.encode() for r in REQUESTS],
        "sse": [first + e.encode() for e in EVENTS],
        "telegram_update": [json.dumps(update).encode() for update in UPDATES],
        "whatsapp_update": [json.dumps(delivery).encode() for delivery in DELIVERIES],
        "when": [first + said.encode() for said in TIMES],
        "settings": [s.encode() for s in SETTINGS],
    }


def lines_of(path):
    with path.open() as lines:
        yield from (json.loads(line) for line in lines)


def foreign(vectors):
    """From third-party material, as far as it is there."""
    out = {}
    archive = vectors / "bad_models/bad_models.tar.xz"
    if archive.exists():
        with tarfile.open(archive) as files:
            for member in files:
                if not member.isfile() or member.size > LARGEST:
                    continue
                raw = files.extractfile(member).read()
                if member.name.endswith(".gguf"):
                    out.setdefault("gguf", []).append(raw)
                elif member.name.endswith(".safetensors"):
                    out.setdefault("safetensors", []).append(b"\0" + raw)
                elif member.name.endswith(".json"):
                    out.setdefault("safetensors", []).append(b"\1" + raw)
    for path in sorted(vectors.glob("chat_templates/templates/*.jinja")):
        out.setdefault("chat_template", []).append(b"\0" + path.read_bytes() + b"\0x")
    for path in vectors.glob("tool_calls/cases.jsonl"):
        for number, case in enumerate(lines_of(path)):
            out.setdefault("output_parser", []).append(bytes([number % N_DIALECTS, number // 7 % 8, number % 256]) + case["text"].encode())
    for path in vectors.glob("webhooks/telegram/updates.jsonl"):
        for case in lines_of(path):
            out.setdefault("telegram_update", []).append(json.dumps(case["payload"] if case["kind"] == "update" else {"update_id": 1, "message": case["payload"]}).encode())
    for path in vectors.glob("webhooks/whatsapp/payloads.jsonl"):
        out.setdefault("whatsapp_update", []).extend(json.dumps(case["payload"]).encode() for case in lines_of(path))
    for path in sorted(vectors.glob("json_schema/JSON-Schema-Test-Suite/tests/draft2020-12/*.json")):
        for group in json.loads(path.read_text()):
            out.setdefault("json_schema", []).append(b"\0" + json.dumps(group["schema"]).encode())
    for path in vectors.glob("json_schema/xgrammar_accept.jsonl"):
        for case in lines_of(path):
            if case["kind"] == "ebnf":
                out.setdefault("ebnf", []).append(b"\0" + case["grammar"].encode())
            elif case["kind"] == "regex":
                out.setdefault("regex", []).append(case["grammar"].encode() + b"\0" + case["input"].encode())
    return out


def put(path, raw):
    """Whole or not at all: each target's run writes all of them, and those beside it read."""
    if path.exists() and path.read_bytes() == raw:
        return
    fresh = path.parent.parent / f"{path.name}.{os.getpid()}"
    fresh.write_bytes(raw)
    os.replace(fresh, path)


def main():
    folder = pathlib.Path(sys.argv[1])
    seeds = own()
    if len(sys.argv) > 2:
        for name, more in foreign(pathlib.Path(sys.argv[2])).items():
            seeds[name] += more
    for name, inputs in seeds.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number, raw in enumerate(inputs):
            if len(raw) <= LARGEST:
                put(folder / name / f"seed-{number}", raw)
        put(folder / f"{name}.dict", "".join(escaped(word) + "\n" for word in WORDS[name]).encode())


main()
