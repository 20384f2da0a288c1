"""Makes tiktoken.model and what tiktoken gives for mixtures of texts: make_tiktoken.py OUT, with the packages tiktoken and regex.

The ranks are pairs of bytes as they come most often in made-up text; the expression is that of Kimi K2's tokenizer.
"""
import base64
import collections
import json
import pathlib
import random
import sys

import regex
import tiktoken

OUT = pathlib.Path(sys.argv[1])
PATTERN = "|".join([
    r"[\p{Han}]+",
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"\p{N}{1,3}", r" ?[^\s\p{L}\p{N}]+[\r\n]*", r"\s*[\r\n]+", r"\s+(?!\S)", r"\s+"])
TEXT = """The quick brown fox jumps over the lazy dog while the river was running beneath the old bridge, isn't it? We'll see; they've gone.
aaaaaaaa aaaa aaa aaaaa ababab babab L'été à la mer, die Straße führt über Köln; 한국어 中国人民 龥中国 か が カ ガ を ひらがな 中国 人民 々
Numbers 1 23 456 7890 1234567 and signs: !? .,;:'"()[]{} <> + - * / = _ ~ … 😀😀 👍🏽\n\n    indented\n        more\r\n
"""
PARTS = [" ", " ", "  ", "    ", "\n", "\r\n", "\t", "\u00a0", "a", "aa", "aaa", "b", "the", "The", "THE", "was", "ing", "'s", "'LL", "n't", "é", "e\u0301", "ß", "ǅ", "ʰ", "中", "中国", "龥", "々", "〇", "⺀", "か", "カ", "が", "한",
         "1", "23", "4567", "²", "Ⅷ", "_", "-", ".", "!?", "...", "/", "😀", "👍🏽", "\u200d", "\x01", "\ufffd", "∑"]


def train(words, size):
    """Ranks as a plain count of pairs gives them."""
    ranks = {bytes([b]): b for b in range(256)}
    parts = [[bytes([b]) for b in word.encode()] for word in words]
    while len(ranks) < size:
        pairs = collections.Counter(pair for word in parts for pair in zip(word, word[1:]))
        (left, right), _ = min(pairs.items(), key=lambda item: (-item[1], item[0]))
        ranks[left + right] = len(ranks)
        for i, word in enumerate(parts):
            merged, at = [], 0
            while at < len(word):
                both = word[at:at + 2] == [left, right]
                merged.append(left + right if both else word[at])
                at += 2 if both else 1
            parts[i] = merged
    return ranks


def main():
    rng = random.Random(0)
    mixtures = ["".join(rng.choice(PARTS) for _ in range(rng.randrange(1, 24))) for _ in range(300)]
    words = [word for text in [TEXT] * 3 + mixtures[:100] for word in regex.findall(PATTERN, text, regex.V1)]
    ranks = train(words, 700)
    (OUT / "tiktoken.model").write_text("".join(f"{base64.b64encode(token).decode()} {rank}\n" for token, rank in ranks.items()))
    encoding = tiktoken.Encoding("made", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens={})
    (OUT / "tiktoken.json").write_text("[" + ",\n".join(json.dumps({"text": text, "ids": encoding.encode_ordinary(text)}, ensure_ascii=False) for text in ["", TEXT, *mixtures]) + "]\n")


main()
