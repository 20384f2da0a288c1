"""A tiny checkpoint of tests/data/models made fit to chat: a template, room for the agents' prompts, a large vocabulary's
special tokens left as they are. Its weights are random: what it says means nothing, and only grammar binds it."""
import struct

CONTEXT = 16384
TEMPLATE = (
    "{%- if tools %}<|im_start|>system\n"
    "{%- if messages[0].role == 'system' %}{{ '\n' + messages[0].content }}{% endif %}\nTools: <tools>"
    "{%- for tool in tools %}{{ '\n' + (tool | tojson) }}{% endfor %}\n</tools>\n"
    "Call one as <tool_call>\n{\"name\": NAME, \"arguments\": ARGUMENTS}\n</tool_call><|im_end|>\n"
    "{%- elif messages[0].role == 'system' %}<|im_start|>system\n{{ messages[0].content }}<|im_end|>\n{% endif %}"
    "{%- for message in messages %}{% if not (loop.first and message.role == 'system') %}"
    "{{- '\n<|im_start|>' + message.role + '\n' + message.content }}"
    "{%- for call in message.tool_calls or [] %}"
    "{{- '\n<tool_call>\n{\"name\": \"' + call.function.name + '\", \"arguments\": ' + (call.function.arguments | tojson) + '}\n</tool_call>' }}"
    "{%- endfor %}<|im_end|>{% endif %}{% endfor %}"
    "{%- if add_generation_prompt %}\n<|im_start|>assistant\n{% endif %}")

SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
STRING, ARRAY = 8, 9


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def number(self, form):
        value, = struct.unpack_from(form, self.data, self.at)
        self.at += struct.calcsize(form)
        return value

    def text(self):
        size = self.number("<Q")
        self.at += size
        return self.data[self.at - size:self.at].decode()

    def value(self, kind):
        if kind == STRING:
            return self.text()
        if kind == ARRAY:
            inner, count = self.number("<I"), self.number("<Q")
            return [self.value(inner) for _ in range(count)]
        self.at += SIZES[kind]
        return None


def text(value):
    return struct.pack("<Q", len(value.encode())) + value.encode()


def make(source, target):
    """Writes the GGUF file `source` again as `target`, with TEMPLATE and CONTEXT. Returns its tokens."""
    data = source.read_bytes()
    reader = Reader(data)
    magic, version, tensors, count = (reader.number(f) for f in ("<I", "<I", "<Q", "<Q"))
    entries, tokens = [], []
    for _ in range(count):
        begin = reader.at
        key, kind = reader.text(), reader.number("<I")
        value = reader.value(kind)
        if key.endswith(".context_length"):
            entries.append(text(key) + struct.pack("<II", kind, CONTEXT))
        else:
            entries.append(data[begin:reader.at])
        if key == "tokenizer.ggml.tokens":
            tokens = value
    entries.append(text("tokenizer.chat_template") + struct.pack("<I", STRING) + text(TEMPLATE))
    infos = reader.at
    for _ in range(tensors):
        reader.text()
        dimensions = reader.number("<I")
        reader.at += 8 * dimensions + 4 + 8  # sizes, type, offset
    head = struct.pack("<IIQQ", magic, version, tensors, len(entries)) + b"".join(entries) + data[infos:reader.at]
    target.write_bytes(head + bytes(-len(head) % 32) + data[reader.at + -reader.at % 32:])
    return tokens
