#!/usr/bin/env python3
"""Quantize the cases of make_golden.py with other people's tools, and write what transformers computes on the result.

Needs, besides make_golden.py's: nvidia-modelopt, compressed-tensors. CPU only.
Usage: make_nvfp4.py OUT_DIR        (OUT_DIR holds the folders of make_golden.py; writes <case>-<variant>/ beside them)

golden.safetensors of each: float32 logits of transformers on the dequantized weights (`N.logits`), and, where the checkpoint carries
input scales, float32 logits with the activations of every quantized matrix rounded to NVFP4 by ModelOpt too (`N.logits_w4a4`).
"""
import copy
import glob
import json
import re
import shutil
import sys
import warnings

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

warnings.filterwarnings("ignore")
import modelopt  # noqa: E402
import modelopt.torch.quantization as mtq  # noqa: E402
import transformers  # noqa: E402
from modelopt.torch.export import export_hf_checkpoint  # noqa: E402
from make_golden import MARGIN, Watch, into, stream  # noqa: E402
from transformers import AutoModelForCausalLM  # noqa: E402

E2M1 = torch.tensor([0, .5, 1, 1.5, 2, 3, 4, 6, -0., -.5, -1, -1.5, -2, -3, -4, -6])


def load(folder, dtype=torch.float32):
    return AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, attn_implementation="eager", experts_implementation="eager").eval()


def read(folder):
    out = {}
    for f in sorted(glob.glob(f"{folder}/model*.safetensors")):
        out.update(load_file(f))
    return out


def dequantize(tensors):
    """NVFP4 tensors of either layout -> float32 matrices: E2M1[nibble] * float(E4M3 scale) * global scale, low nibble first."""
    out = {}
    for name, t in tensors.items():
        packed = name.endswith(".weight_packed")
        if not packed and not (name.endswith(".weight") and name + "_scale" in tensors and t.dtype == torch.uint8):
            if not re.search(r"\.(weight_scale|weight_scale_2|weight_global_scale|input_scale|input_global_scale)$", name):
                out[name] = t
            continue
        base = name[: -len("_packed")] if packed else name
        g = 1 / tensors[base + "_global_scale"].float() if packed else tensors[base + "_scale_2"].float()
        scale = tensors[base + "_scale"].view(torch.float8_e4m3fn).float()  # some files call the same bytes U8
        v = torch.stack([E2M1[(t & 15).long()], E2M1[(t >> 4).long()]], dim=-1).reshape(t.shape[0], -1)
        out[base] = (v.view(*scale.shape, 16) * (scale * g.reshape(())).unsqueeze(-1)).reshape(t.shape[0], -1)
    return out


def on_dequantized(src, dst):
    model = load(src)
    with torch.no_grad():
        into(model.state_dict(), dequantize(read(dst)))
    return model


@torch.no_grad()
def logits(model, golden, n):
    return model(golden[f"{n}.ids"][None].long(), use_cache=False).logits[0]


@torch.no_grad()
def finish(src, dst, note, fake=None):
    golden = load_file(f"{src}/golden.safetensors")
    count = 1 + max(int(k.split(".")[0]) for k in golden)
    model = on_dequantized(src, dst)
    watch, out = Watch(model.model.layers), {}
    for n in range(count):
        out[f"{n}.ids"] = golden[f"{n}.ids"]
        out[f"{n}.logits"] = logits(model, golden, n)
    watch.restore()
    for n in range(count if fake is not None else 0):
        out[f"{n}.logits_w4a4"] = logits(fake, golden, n)
    if watch.margin < MARGIN:
        print(f"{dst}: a choice is as close as {watch.margin:.1e}")
    save_file(out, f"{dst}/golden.safetensors", metadata={"transformers": transformers.__version__, "made_with": note, "closest_choice": f"{watch.margin:.2e}"})
    a = torch.cat([golden[f"{n}.logits"] for n in range(count)]).log_softmax(-1).double()
    kl = lambda b: float((a.exp() * (a - b.log_softmax(-1).double())).sum(-1).mean())
    print(dst.split("/")[-1], "KL to unquantized:", f"{kl(torch.cat([out[f'{n}.logits'] for n in range(count)])):.3e}",
          "" if fake is None else f"w4a4 {kl(torch.cat([out[f'{n}.logits_w4a4'] for n in range(count)])):.3e}")


def append_mtp(src, dst):
    """ModelOpt drops the layer that transformers does not load; published checkpoints carry it in bfloat16 and exclude it by name."""
    n = json.load(open(f"{src}/config.json"))["num_hidden_layers"]
    tensors, extra = read(dst), {k: v for k, v in read(src).items() if k.startswith(f"model.layers.{n}.")}
    save_file({**spread(tensors), **extra}, f"{dst}/model.safetensors", metadata={"format": "pt"})
    for file, path in (("config.json", ("quantization_config", "ignore")), ("hf_quant_config.json", ("quantization", "exclude_modules"))):
        whole = json.load(open(f"{dst}/{file}"))
        whole[path[0]][path[1]].append(f"model.layers.{n}*")
        json.dump(whole, open(f"{dst}/{file}", "w"), indent=2)


def spread(tensors):
    """Move powers of two from the block scales to the global scale, 0 to 15 by matrix, the same for an expert's gate and up.

    Freshly quantized noise only has scale bytes near the top; real weights, and a wrong E4M3 decode, show in all exponents and the subnormals. Rounding is
    no matter: the golden is made from what is stored.
    """
    for k in [k for k in tensors if k.endswith(".weight_scale")]:
        by = 2.0 ** (int(abs(stream(9, k.replace("up_proj", "gate_proj"), 1)[0]) * 1e6) % 16)
        tensors[k] = (tensors[k].float() / by).clamp(min=2.0 ** -9).to(torch.float8_e4m3fn)
        if k + "_2" in tensors:
            tensors[k + "_2"] = tensors[k + "_2"] * by
        else:
            second = k.replace("weight_scale", "weight_global_scale")
            tensors[second] = tensors[second] / by
    return tensors


def with_modelopt(src, dst, config, edit=lambda dst: None):
    calibrate = lambda m: [m(torch.randint(0, m.config.vocab_size, (2, 64), generator=torch.Generator().manual_seed(s)), use_cache=False)
                           for s in range(4)]
    model = load(src, torch.bfloat16)
    model.generation_config.do_sample = True
    model = mtq.quantize(model, copy.deepcopy(config), calibrate)
    shutil.rmtree(dst, ignore_errors=True)
    with torch.no_grad():
        export_hf_checkpoint(model, export_dir=dst)
    append_mtp(src, dst)
    edit(dst)


def activations_too(dst, src):
    """A float32 model whose quantized matrices also round their input to NVFP4: per tensor input_scale, per block E4M3 scale.

    Formula of test/Inputs/README.md; ModelOpt's own activation rounding needs a GPU, so that it was not compared.
    """
    model = on_dequantized(src, dst)
    tensors = read(dst)

    def rounded(x, scale2):
        amax = x.reshape(*x.shape[:-1], -1, 16).abs().amax(-1)
        scale = (amax / 6 / scale2).clamp(2.0 ** -9, 448).to(torch.float8_e4m3fn).float() * scale2
        v = x.reshape(*x.shape[:-1], -1, 16) / scale.unsqueeze(-1)
        return (nearest_e2m1(v) * scale.unsqueeze(-1)).reshape(x.shape)

    def hook(name):
        scale2 = tensors.get(name + ".input_scale")
        return None if scale2 is None else (lambda m, a: (rounded(a[0], scale2.float()),) + tuple(a[1:]))

    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Linear) and hook(name):
            module.register_forward_pre_hook(hook(name))
        if name.endswith("mlp.experts") and f"{name}.0.gate_proj.input_scale" in tensors:
            module.forward = experts_forward(module, name, tensors, rounded)
    return model


def nearest_e2m1(v):
    """Round to nearest, ties to even mantissa, saturate at 6."""
    a = v.abs().clamp(max=6)
    step = torch.where(a < 2, 0.5, torch.where(a < 4, 1.0, 2.0))
    return torch.copysign(torch.round(a / step) * step, v)


def experts_forward(module, name, tensors, rounded):
    def forward(x, index, weights):
        out = torch.zeros_like(x)
        for e in range(module.num_experts):
            rows, slot = torch.where(index == e)
            if len(rows) == 0:
                continue
            s = lambda p: tensors[f"{name}.{e}.{p}.input_scale"].float()
            gate_w, up_w = module.gate_up_proj[e].chunk(2)
            h = module.act_fn(rounded(x[rows], s("gate_proj")) @ gate_w.T) * (rounded(x[rows], s("up_proj")) @ up_w.T)
            out.index_add_(0, rows, (rounded(h, s("down_proj")) @ module.down_proj[e].T) * weights[rows, slot, None])
        return out
    return forward


def rules(base, *lines):
    """ModelOpt's config with its own exclusions, everything off first, then `lines` of (pattern, on)."""
    c = copy.deepcopy(base)
    on = {e["quantizer_name"]: e["cfg"] for e in c["quant_cfg"] if "cfg" in e}
    c["quant_cfg"] = [{"quantizer_name": "*", "enable": False}] + [
        {"quantizer_name": f"*{p}*{kind}", "cfg": on[kind]} if yes else {"quantizer_name": f"*{p}*{kind}", "enable": False}
        for p, yes in lines for kind in on]
    return c


def weights_proj_f32(dst):
    """The card stores the indexer's weights_proj as float32."""
    t = read(dst)
    for k in t:
        if k.endswith("indexer.weights_proj.weight"):
            t[k] = t[k].float()
    save_file(t, f"{dst}/model.safetensors", metadata={"format": "pt"})


def compressed(src, dst, skip):
    """compressed-tensors' own packing (nvfp4-pack-quantized, weights only) and its config; `skip` as it matches: from a module name's start."""
    from compressed_tensors.compressors import NVFP4PackedCompressor
    from compressed_tensors.quantization import QuantizationArgs, QuantizationScheme
    from compressed_tensors.quantization.utils import calculate_qparams, generate_gparam

    scheme = QuantizationScheme(targets=["Linear"], format="nvfp4-pack-quantized", weights=QuantizationArgs(
        num_bits=4, type="float", strategy="tensor_group", group_size=16, symmetric=True, dynamic=False, scale_dtype=torch.float8_e4m3fn,
        zp_dtype=torch.float8_e4m3fn))
    args, out = scheme.weights, {}
    tensors = read(src)
    for name, t in tensors.items():
        if t.dim() != 2 or any(re.match(p, name[: -len('.weight')]) for p in skip):
            out[name] = t
            continue
        w = t.float()
        global_scale = generate_gparam(w.min(), w.max())
        blocks = w.reshape(w.shape[0], -1, 16)
        scale, zero = calculate_qparams(blocks.amin(-1), blocks.amax(-1), args, global_scale=global_scale)
        packed = NVFP4PackedCompressor.compress({"weight": w, "weight_scale": scale, "weight_global_scale": global_scale,
                                                 "weight_zero_point": zero}, scheme)
        for key, value in packed.items():
            if key != "weight_zero_point" and value is not None:
                out[name[: -len("weight")] + key] = value.contiguous()
    shutil.rmtree(dst, ignore_errors=True)
    shutil.copytree(src, dst, ignore=shutil.ignore_patterns("model*", "golden*"))
    save_file(spread(out), f"{dst}/model.safetensors", metadata={"format": "pt"})
    config = json.load(open(f"{src}/config.json"))
    config["quantization_config"] = {
        "quant_method": "compressed-tensors", "format": "nvfp4-pack-quantized", "quantization_status": "compressed", "kv_cache_scheme": None,
        "global_compression_ratio": None, "sparsity_config": {}, "transform_config": {},
        "ignore": ["re:" + p for p in skip],
        "config_groups": {"group_0": {"targets": ["Linear"], "input_activations": None, "output_activations": None, "format": "nvfp4-pack-quantized",
                                      "weights": json.loads(args.model_dump_json())}}}
    json.dump(config, open(f"{dst}/config.json", "w"), indent=2)


if __name__ == "__main__":
    root = sys.argv[1]
    torch.set_num_threads(2)
    v = modelopt.__version__
    # The card's table on 12 layers: experts, and the dense MLP of layer 2; the first two and the last two layers untouched; no calibration.
    with_modelopt(f"{root}/share", f"{root}/share-card", rules(
        mtq.W4A16_NVFP4_CFG, ("mlp.experts", True), ("layers.2.mlp", True), ("layers.0.", False), ("layers.1.", False),
        ("layers.10.", False), ("layers.11.", False)), weights_proj_f32)
    finish(f"{root}/share", f"{root}/share-card", f"modelopt {v}, W4A16_NVFP4_CFG with the card's rules")
    # Everything that ModelOpt's default quantizes, attention and indexer included, with input scales.
    with_modelopt(f"{root}/ratio", f"{root}/ratio-all", mtq.NVFP4_DEFAULT_CFG)
    finish(f"{root}/ratio", f"{root}/ratio-all", f"modelopt {v}, NVFP4_DEFAULT_CFG", activations_too(f"{root}/ratio-all", f"{root}/ratio"))
    # Experts, shared experts, dense MLP and the indexer's two big projections, as compressed-tensors packs them.
    skip = [r"lm_head$", r".*embed_tokens$", r".*mlp\.gate$", r".*self_attn\.(?!indexer\.)", r".*indexer\.weights_proj$", r"model\.layers\.11\."]
    compressed(f"{root}/groups", f"{root}/groups-ct", skip)
    finish(f"{root}/groups", f"{root}/groups-ct", "compressed-tensors nvfp4-pack-quantized")
