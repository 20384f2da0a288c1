"""Makes a tiny random encoder of XLM-RoBERTa's kind with what transformers computes from it.

    make_encoder.py OUT [--llama-cpp DIR]

wants torch, transformers, sentencepiece and, for the GGUF by its converter, a checkout of llama.cpp. OUT is made anew, as
sentence-transformers writes it; its tokenizer is the one of tests/data/tokenizers/rules.model.
"""
import argparse
import json
import pathlib
import shutil
import sys

import tokenizers
import torch
import transformers
from safetensors.torch import save_file
from sentencepiece import sentencepiece_model_pb2

HERE = pathlib.Path(__file__).resolve().parent
CONFIG = {"architectures": ["XLMRobertaModel"], "model_type": "xlm-roberta", "bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2, "vocab_size": 180, "hidden_size": 64,
          "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 96, "max_position_embeddings": 66, "type_vocab_size": 1, "layer_norm_eps": 1e-5, "hidden_act": "gelu",
          "dtype": "float32"}
TEXTS = ["the quick brown fox", "the", "  The river\twas running ﬁve e\u0301té ", "中 龥 か が, 1 23 Ⅷ ™", "was the dog running? " * 4]


def tokenizer(source):
    model = sentencepiece_model_pb2.ModelProto.FromString(source.read_bytes())
    pieces = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)] + [(p.piece, p.score) for p in model.pieces[3:]]
    made = tokenizers.Tokenizer(tokenizers.models.Unigram(pieces, 3, False))
    made.normalizer = tokenizers.normalizers.Sequence([tokenizers.normalizers.Precompiled(model.normalizer_spec.precompiled_charsmap), tokenizers.normalizers.Replace(tokenizers.Regex(" {2,}"), " ")])
    made.pre_tokenizer = tokenizers.pre_tokenizers.Sequence([tokenizers.pre_tokenizers.WhitespaceSplit(), tokenizers.pre_tokenizers.Metaspace()])
    made.decoder = tokenizers.decoders.Metaspace()
    made.post_processor = tokenizers.processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    made.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>"])
    return made


def fill(model, generator):
    for name, tensor in model.named_parameters():
        values = torch.randn(tensor.shape, generator=generator)
        if "LayerNorm.weight" in name:
            values = 1 + 0.2 * values
        elif tensor.dim() == 1:
            values *= 0.1
        elif "embeddings" not in name:
            values *= 2 / tensor.shape[-1] ** 0.5
        tensor.data.copy_(values.to(torch.float16).float())


def golden(model, ids):
    tensors, vectors = {}, []
    for i, one in enumerate(ids):
        states = model(torch.tensor([one]), output_hidden_states=True).hidden_states
        tensors |= {f"t{i}.hidden_{layer}": state[0].clone() for layer, state in enumerate(states)}
        vectors.append(torch.nn.functional.normalize(states[-1][0].mean(0), dim=0))
        tensors[f"embedding_{i}"] = vectors[-1].clone()
    longest = max(map(len, ids))
    mask = torch.tensor([[1] * len(one) + [0] * (longest - len(one)) for one in ids])
    states = model(torch.tensor([one + [1] * (longest - len(one)) for one in ids]), attention_mask=mask).last_hidden_state
    mean = (states * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
    return tensors | {"embedding_batch": torch.nn.functional.normalize(mean, dim=1)}


def convert(folder, llama_cpp):
    sys.path[:0] = [str(llama_cpp), str(llama_cpp / "gguf-py")]
    import gguf
    from conversion import get_model_class
    shutil.copy(HERE.parent / "tokenizers/rules.model", folder / "sentencepiece.bpe.model")
    get_model_class("XLMRobertaModel")(folder, gguf.LlamaFileType.MOSTLY_F16, folder / "model-f16.gguf").write()
    (folder / "sentencepiece.bpe.model").unlink()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--llama-cpp", type=pathlib.Path)
    args = parser.parse_args()
    torch.set_grad_enabled(False)
    shutil.rmtree(args.out, ignore_errors=True)
    (args.out / "1_Pooling").mkdir(parents=True)
    model = transformers.XLMRobertaModel(transformers.XLMRobertaConfig(**CONFIG), add_pooling_layer=False).eval()
    fill(model, torch.Generator().manual_seed(1))
    model.save_pretrained(args.out)
    written = {"config.json": CONFIG, "modules.json": [{"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"} for i, (path, kind) in enumerate([("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")])],
               "1_Pooling/config.json": {"word_embedding_dimension": 64, "pooling_mode_mean_tokens": True}, "sentence_bert_config.json": {"max_seq_length": 64, "do_lower_case": False},
               "tokenizer_config.json": {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}}
    for name, value in written.items():
        (args.out / name).write_text(json.dumps(value) + "\n")
    made = tokenizer(HERE.parent / "tokenizers/rules.model")
    made.save(str(args.out / "tokenizer.json"), pretty=False)
    ids = [made.encode(text).ids for text in TEXTS]
    model = transformers.AutoModel.from_pretrained(args.out, dtype=torch.float32, attn_implementation="eager", add_pooling_layer=False).eval()
    save_file(golden(model, ids), args.out / "golden.safetensors")
    told = {"name": "xlm_roberta", "architecture": "XLMRobertaModel", "model_type": "xlm-roberta", "storage": "f32", "texts": [{"text": t, "ids": i} for t, i in zip(TEXTS, ids)],
            "suggested_tolerance_embedding_fp32": 1e-5, "versions": {"torch": torch.__version__, "transformers": transformers.__version__}}
    (args.out / "golden.json").write_text(json.dumps(told, ensure_ascii=False) + "\n")
    if args.llama_cpp:
        convert(args.out, args.llama_cpp)


main()
