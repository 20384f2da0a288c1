"""Makes the tokenizers of this folder and what independent software gives for its texts.

    make.py OUT

wants sentencepiece, tokenizers and gguf. nmt_nfkc.model has the normalisation that SentencePiece's trainer takes unless told
otherwise (T5's, XLM-R's), bpe.model none (Llama's); rules.model, rules.json and rules.gguf are one vocabulary with a few rules in
SentencePiece's, Hugging Face's and GGUF's form. cases.json: texts and the ids that sentencepiece and tokenizers give;
normalization.json: texts in the forms KC and KD by Python's unicodedata, and hashes over those of every character.
"""
import base64
import json
import pathlib
import random
import sys
import unicodedata

import gguf
import sentencepiece
import tokenizers
from sentencepiece import sentencepiece_model_pb2

OUT = pathlib.Path(sys.argv[1])
PARTS = [" ", " ", "  ", "   ", "\n", "\r\n", "\t", "\u00a0", "\u3000", "\u200b", "\u2028", "a", "the", "was", "ing", "Un", "é", "e\u0301", "a\u0300", "ß", "ǅ", "ﬁ", "ﬁ\u0301", "ﬃ", "①", "½", "Ａ", "ｶﾞ",
         "ｶ", "中", "龥", "か", "が", "か\u3099", "한", "\u1112\u1161\u11ab", "㈱", "™", "№", "…", "ſ", "ẛ\u0323", "\u0344", "²", "Ⅷ", "😀", "👍🏽", "👨\u200d👩", "\ufb2c", "\u0958", "\u0300", "_", "-", ".", "!?",
         "'", "1", "23", "\x01", "\ufffd", "∑", "ﷺ", "～", "，"]
RULES = {"ﬁ": "fi", "ﬃ": "ffi", "①": "1", "½": "1⁄2", "Ａ": "A", "e\u0301": "é", "a\u0300": "à", "\t": " ", "\n": " ", "\r": " ", "\u3000": " ", "\u00a0": " ", "\u200b": "", "™": "TM", "ｶﾞ": "ガ", "ｶ": "カ", "Ⅷ": "VIII"}
TEXT = """The quick brown fox jumps over the lazy dog while the river was running beneath the old bridge.
Unigram models score every piece; training them takes many iterations and this one takes few.
L'été à la mer, die Straße führt über Köln; 한국어 中国 龥 か が カ ガ を ひらがな.
Numbers 1 23 456 7890 and signs: !? .,;:'\"()[]{} <> + - * / = _ ~ … TM VIII 1⁄2 fi ffi A
"""


def mixtures(seed, n):
    rng = random.Random(seed)
    return ["", " ", "  the  quick ", "\n\nthe", "a\tb\r\nc"] + ["".join(rng.choice(PARTS) for _ in range(rng.randrange(1, 20))) for _ in range(n)]


def train(name, **options):
    corpus = OUT / "corpus.txt"
    rng = random.Random(0)
    words = ["".join(rng.choice(["the", "ing", "un", "was", "ri", "ver", "dog", "qui", "ck", "é", "中", "か"]) for _ in range(rng.randrange(1, 4))) for _ in range(60)]
    corpus.write_text(TEXT * 5 + "".join(" ".join(rng.choices(words, k=8)) + "\n" for _ in range(300)))
    sentencepiece.SentencePieceTrainer.train(input=str(corpus), model_prefix=str(OUT / name), minloglevel=2, num_threads=1, **options)
    corpus.unlink()
    (OUT / f"{name}.vocab").unlink()
    return sentencepiece.SentencePieceProcessor(model_file=str(OUT / f"{name}.model"))


def hugging_face(name):
    """The vocabulary as XLM-R's tokenizer.json has its own."""
    model = sentencepiece_model_pb2.ModelProto.FromString((OUT / f"{name}.model").read_bytes())
    map = model.normalizer_spec.precompiled_charsmap
    made = tokenizers.Tokenizer(tokenizers.models.Unigram([(p.piece, p.score) for p in model.pieces], 0, False))
    made.normalizer = tokenizers.normalizers.Sequence([tokenizers.normalizers.Precompiled(map), tokenizers.normalizers.Replace(tokenizers.Regex(" {2,}"), " ")])
    made.pre_tokenizer = tokenizers.pre_tokenizers.Sequence([tokenizers.pre_tokenizers.WhitespaceSplit(), tokenizers.pre_tokenizers.Metaspace()])
    made.decoder = tokenizers.decoders.Metaspace()
    made.add_special_tokens(["<s>", "</s>"])
    made.save(str(OUT / "rules.json"), pretty=False)
    assert base64.b64encode(map).decode() in (OUT / "rules.json").read_text()

    writer = gguf.GGUFWriter(OUT / f"{name}.gguf", "bert")
    writer.add_tokenizer_model("t5")
    writer.add_token_list([p.piece for p in model.pieces])
    writer.add_token_scores([p.score for p in model.pieces])
    writer.add_token_types([p.type for p in model.pieces])
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_space_prefix(True)
    writer.add_remove_extra_whitespaces(True)
    writer.add_precompiled_charsmap(map)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    return made


def digest(form):
    """FNV-1a of every character's form in UTF-8."""
    value = 0xCBF29CE484222325
    for c in range(0x110000):
        if not 0xD800 <= c < 0xE000 and unicodedata.category(chr(c)) != "Cn":
            for byte in unicodedata.normalize(form, chr(c)).encode():
                value = (value ^ byte) * 0x100000001B3 % 2**64
    return value


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "rules.tsv").write_text("".join(f"{' '.join(f'{ord(c):X}' for c in a)}\t{' '.join(f'{ord(c):X}' for c in b)}\n" for a, b in RULES.items()))
    spm = {"nmt_nfkc": train("nmt_nfkc", vocab_size=220, model_type="unigram", hard_vocab_limit=False),
           "bpe": train("bpe", vocab_size=420, model_type="bpe", hard_vocab_limit=False, byte_fallback=True, normalization_rule_name="identity", remove_extra_whitespaces=False),
           "rules": train("rules", vocab_size=220, model_type="unigram", hard_vocab_limit=False, normalization_rule_tsv=str(OUT / "rules.tsv"))}
    (OUT / "rules.tsv").unlink()
    hf, texts = hugging_face("rules"), mixtures(1, 400)
    cases = [{"text": text, **{name: one.encode(text) for name, one in spm.items()}, "tokenizers": hf.encode(text, add_special_tokens=False).ids} for text in texts]
    (OUT / "cases.json").write_text(json.dumps(cases, ensure_ascii=False, separators=(",", ":")) + "\n")
    forms = {"nfkc": "NFKC", "nfkd": "NFKD"}
    normal = {"unicode": unicodedata.unidata_version, "every": {key: f"{digest(form):x}" for key, form in forms.items()},
              "texts": [{"text": text, **{key: unicodedata.normalize(form, text) for key, form in forms.items()}} for text in mixtures(2, 150)]}
    (OUT / "normalization.json").write_text(json.dumps(normal, ensure_ascii=False, separators=(",", ":")) + "\n")


main()
