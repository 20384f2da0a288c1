"""Makes a tiny random checkpoint of a family with what transformers computes from it.

    make.py FAMILY OUT [--llama-cpp DIR]

wants torch, transformers and, for the GGUF by its converter, a checkout of llama.cpp. OUT is made anew: config.json,
model.safetensors, tokenizer.json, golden.json, golden.safetensors, model-f16.gguf (README.md says what is in them).
"""
import argparse
import json
import pathlib
import random
import shutil
import sys

import torch
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM

HERE = pathlib.Path(__file__).parent
COMMON = {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 2, "vocab_size": 320, "hidden_size": 64, "max_position_embeddings": 512,
          "num_attention_heads": 4, "num_key_value_heads": 2, "tie_word_embeddings": False, "dtype": "bfloat16"}
OLMO = {"intermediate_size": 64, "rms_norm_eps": 1e-6, "rope_theta": 500000.0}

# config.json as the family's publisher writes it, and the pre-tokenizer by llama.cpp's name.
FAMILIES = {
    "minimax_m2": ("minimax-m2", {
        "architectures": ["MiniMaxM2ForCausalLM"], "model_type": "minimax_m2", "num_hidden_layers": 3, "head_dim": 32, "rotary_dim": 16,
        "intermediate_size": 32, "num_local_experts": 8, "num_experts_per_tok": 2, "scoring_func": "sigmoid", "use_routing_bias": True,
        "use_qk_norm": True, "qk_norm_type": "per_layer", "hidden_act": "silu", "rope_theta": 5000000, "rms_norm_eps": 1e-6,
        "shared_intermediate_size": 0, "attn_type_list": [1, 1, 1]}),
    "seed_oss": ("seed-coder", {
        "architectures": ["SeedOssForCausalLM"], "model_type": "seed_oss", "num_hidden_layers": 2, "head_dim": 32, "intermediate_size": 64, "attention_bias": True,
        "attention_out_bias": False, "mlp_bias": False, "attention_dropout": 0.1, "residual_dropout": 0.1, "hidden_act": "silu", "rms_norm_eps": 1e-6,
        "rope_scaling": {"rope_type": "default"}, "rope_theta": 10000000.0, "pretraining_tp": 1}),
    "olmo2": ("dbrx", OLMO | {"architectures": ["Olmo2ForCausalLM"], "model_type": "olmo2", "num_hidden_layers": 2}),
    "olmo3": ("dbrx", OLMO | {
        "architectures": ["Olmo3ForCausalLM"], "model_type": "olmo3", "num_hidden_layers": 4, "sliding_window": 16,
        "layer_types": ["sliding_attention"] * 3 + ["full_attention"],
        "rope_scaling": {"rope_type": "yarn", "factor": 8.0, "original_max_position_embeddings": 64, "beta_fast": 32.0, "beta_slow": 1.0,
                         "attention_factor": 1.2079441541679836}}),
}


def fill(model, generator):
    """Random values that BF16 and F16 both hold exactly; norms about 1, and logits with a spread of about 3."""
    for name, tensor in list(model.named_parameters()) + [b for b in model.named_buffers() if "e_score" in b[0]]:
        values = torch.randn(tensor.shape, generator=generator)
        if "e_score" in name or name.endswith(".bias"):
            values *= 0.1
        elif tensor.dim() == 1:
            values = 1 + 0.2 * values
        elif "embed_tokens" not in name:
            values *= (3 if "lm_head" in name else 1) / tensor.shape[-1] ** 0.5
        values = values.to(torch.bfloat16).float()
        values[values.abs() < 2.0**-14] = 0
        tensor.data.copy_(values)


class Watch:
    """What the blocks give for the next call."""

    def __init__(self, model):
        self.seen = {}
        base = model.model
        base.layers[0].register_forward_pre_hook(lambda m, args, kw: self.seen.__setitem__("embed", (args or (kw["hidden_states"],))[0]), with_kwargs=True)
        base.norm.register_forward_hook(self.keep("final_norm"))
        for i, layer in enumerate(base.layers):
            layer.register_forward_hook(self.keep(f"layer.{i:02d}"))
            layer.self_attn.register_forward_hook(self.keep(f"mixer.{i:02d}"))
            if hasattr(layer.mlp, "gate"):
                layer.mlp.gate.register_forward_hook(self.route(i, layer.mlp))

    def keep(self, name):
        return lambda module, args, out: self.seen.__setitem__(name, out[0] if isinstance(out, tuple) else out)

    def route(self, layer, mlp):
        def hook(module, args, out):
            scores, weights, indices = out
            self.seen |= {f"router.{layer:02d}.scores": scores, f"router.{layer:02d}.weights": weights, f"router.{layer:02d}.indices": indices}
            choice = (scores.sigmoid() + mlp.e_score_correction_bias).sort(-1, descending=True).values
            k = weights.shape[-1]
            self.gap = min(getattr(self, "gap", 1e9), (choice[:, k - 1] - choice[:, k]).min().item())
        return hook


def greedy(model, ids):
    out, margins = [], []
    for _ in range(24):
        last = model(torch.tensor([ids + out])).logits[0, -1]
        best = last.topk(2)
        out.append(best.indices[0].item())
        margins.append((best.values[0] - best.values[1]).item())
    return out, margins


def golden(model, twin, seed):
    watch, rng, tensors, prompts, difference = Watch(model), random.Random(seed), {}, [], 0
    for n in (1, 17, 48, 150):
        ids = [rng.randrange(5, 300) for _ in range(n)]
        logits, exact = model(torch.tensor([ids])).logits[0], twin(torch.tensor([ids])).logits[0]
        tail = slice(-8, None) if n == 150 else slice(None)
        if n > 1:
            tensors[f"logits_{n}" + ("_tail8" if n == 150 else "")] = logits[tail].clone()
            difference = max(difference, (logits[tail].double() - exact[tail]).abs().max().item())
        if n == 17:
            for name, value in watch.seen.items():
                value = value.reshape(17, -1)
                tensors[f"h17.{name}"] = (value.int() if "indices" in name else value.float()).clone()
        continuation, margins = greedy(model, ids)
        prompts.append({"ids": ids, "greedy": continuation, "margins": [round(m, 6) for m in margins]})
    least = min(m for p in prompts for m in p["margins"])
    return tensors, {"prompts": prompts, "min_greedy_margin": least, "min_router_gap": getattr(watch, "gap", None), "fp32_vs_fp64_max_abs": difference,
                     "suggested_tolerance_logits_fp32": float(f"{20 * difference:.2g}"), "logits_std": tensors["logits_48"].std().item()}


def convert(folder, pre, llama_cpp):
    sys.path[:0] = [str(llama_cpp), str(llama_cpp / "gguf-py")]
    import gguf
    from conversion import get_model_class
    from conversion.base import TextModel
    TextModel.get_vocab_base_pre = lambda self, tokenizer: pre  # it knows published tokenizers by their ids
    architecture = json.loads((folder / "config.json").read_text())["architectures"][0]
    made = get_model_class(architecture)(folder, gguf.LlamaFileType.MOSTLY_F16, folder / "model-f16.gguf")
    made.write()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("family", choices=FAMILIES)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--llama-cpp", type=pathlib.Path)
    args = parser.parse_args()
    pre, keys = FAMILIES[args.family]
    torch.manual_seed(0)
    torch.set_grad_enabled(False)
    for seed in range(100):
        shutil.rmtree(args.out, ignore_errors=True)
        args.out.mkdir(parents=True)
        (args.out / "config.json").write_text(json.dumps(COMMON | keys, indent=1) + "\n")
        config = AutoConfig.from_pretrained(args.out)
        model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
        fill(model, torch.Generator().manual_seed(seed))
        biases = [(module, module.e_score_correction_bias) for module in model.modules() if hasattr(module, "e_score_correction_bias")]
        model.to(torch.bfloat16)
        for module, bias in biases:
            module.e_score_correction_bias = bias
        model.save_pretrained(args.out)
        (args.out / "config.json").write_text(json.dumps(COMMON | keys, indent=1) + "\n")
        load = {"attn_implementation": "eager", "experts_implementation": "eager"}
        model, twin = (AutoModelForCausalLM.from_pretrained(args.out, dtype=kind, **load).eval() for kind in (torch.float32, torch.float64))
        tensors, told = golden(model, twin, seed)
        if told["min_greedy_margin"] > 3e-3 and (told["min_router_gap"] or 1) > 3e-4:
            break
    import transformers
    versions = {"torch": torch.__version__, "transformers": transformers.__version__}
    save_file(tensors, args.out / "golden.safetensors")
    head = {"name": args.family, "architecture": keys["architectures"][0], "model_type": keys["model_type"], "seed": seed, "storage": "bf16", "versions": versions}
    (args.out / "golden.json").write_text(json.dumps(head | told) + "\n")
    for file in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(HERE / "tokenizer" / file, args.out)
    if args.llama_cpp:
        convert(args.out, pre, args.llama_cpp)
    print({k: v for k, v in told.items() if k != "prompts"}, "seed", seed)


main()
