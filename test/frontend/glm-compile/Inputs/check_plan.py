"""Checks glm-compile --plan=json by a count of its own, from the safetensors headers and config.json.

usage: check_plan.py MODEL_DIR PLAN.json

Follows the published tensor table, not the product's code: names are taken apart here again, the division over ranks and the
layouts of the caches are spelled a second time. What the plan was asked (ranks, memory, cache, context) is read from itself.
"""

import functools
import json
import re
import sys
from pathlib import Path

WIDTHS = {"BF16": 2, "F16": 2, "F32": 4, "U8": 1, "F8_E4M3": 1}
SCALES = ("weight_scale", "weight_scale_2", "weight_global_scale", "input_scale", "input_global_scale")


def headers(folder):
    files = sorted(folder.glob("*.safetensors"))
    tensors = {}
    for path in files:
        with path.open("rb") as file:
            header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        header.pop("__metadata__", None)
        tensors.update(header)
    return len(files), tensors


def payload(entry):
    count = WIDTHS[entry["dtype"]]
    for extent in entry["shape"]:
        count *= extent
    begin, end = entry["data_offsets"]
    assert end - begin == count, entry
    return count


def withoutExpert(module):
    return re.sub(r"\.experts\.\d+\.", ".experts.0.", module)


@functools.lru_cache(maxsize=None)
def classOf(module, layers):
    """The first that matches; MTP is everything of the layer behind the last."""
    table = [
        (rf"model\.layers\.{layers}\..*", "mtp"),
        (r".*\.mlp\.experts\.\d+\..*", "routed_experts"),
        (r".*\.mlp\.shared_experts\..*", "shared_experts"),
        (r".*\.mlp\.gate(\.e_score_correction_bias)?", "routers"),
        (r".*\.mlp\.(gate|up|down)_proj", "dense"),
        (r".*\.indexer\.(wq_b|wk|weights_proj)", "indexer"),
        (r".*\.self_attn\.(q_a|q_b|kv_b|o)_proj|.*\.kv_a_proj_with_mqa", "attention"),
        (r"model\.embed_tokens", "embeddings"),
        (r"lm_head", "head"),
        (r".*norm(\.bias)?", "norms"),
    ]
    return next(name for pattern, name in table if re.fullmatch(pattern, module))


@functools.lru_cache(maxsize=None)
def divided(module):
    """Over which of [out, in] tensor parallelism divides a matrix: 0, 1, or None where every rank holds all."""
    if re.search(r"(embed_tokens|lm_head|q_b_proj|kv_b_proj|gate_proj|up_proj)$", module):
        return 0
    return 1 if re.search(r"(\.o_proj|down_proj)$", module) else None


class Weight:
    """A matrix or vector with the tensors that store it."""

    def __init__(self, module, parts):
        self.module, self.parts = withoutExpert(module), parts
        packed = parts.get("weight_packed") or (parts["weight"] if "weight_scale" in parts else None)
        main = packed or next(iter(parts.values()))
        self.shape = list(main["shape"])
        self.precision = "nvfp4" if packed else main["dtype"].lower()
        if packed:
            self.shape[-1] *= 2
        self.bytes = sum(map(payload, parts.values()))
        self.inputScales = sum(payload(entry) for name, entry in parts.items() if name.startswith("input_"))
        self.elements = 1
        for extent in self.shape:
            self.elements *= extent

    def ofRank(self, rank, ranks):
        total = 0
        for name, entry in self.parts.items():
            axis = divided(self.module)
            if name.startswith("input_"):
                continue
            if axis is None or not entry["shape"] or entry["shape"] == [1]:
                total += payload(entry)
                continue
            extent = entry["shape"][axis]
            begin, end = -(-extent * rank // ranks), -(-extent * (rank + 1) // ranks)
            total += payload(entry) // extent * (end - begin)
        return total


def weights(tensors):
    grouped = {}
    for name, entry in tensors.items():
        module, leaf = name.rsplit(".", 1)
        if leaf not in SCALES + ("weight", "weight_packed"):
            module, leaf = name, "weight"
        grouped.setdefault(module, {})[leaf] = entry
    return [Weight(module, parts) for module, parts in grouped.items()]


def cachePerToken(config, kind, layers, indexers):
    latent, rotated, key = config["kv_lora_rank"], config["qk_rope_head_dim"], config["index_head_dim"]
    if kind == "fp8":  # E4M3 with a float32 per 128; the rotated key stays bf16
        row, index = latent + 4 * -(-latent // 128) + 2 * rotated, key + 4 * -(-key // 128)
    else:
        width = {"bf16": 2, "f32": 4}[kind]
        row, index = (latent + rotated) * width, key * width
    return {"latent": layers * row, "index_keys": indexers * index, "total": layers * row + indexers * index}


def cacheRead(config, plan, layers, indexers):
    """Every index key, and the chosen rows."""
    context, chosen, token = plan["context"], config["index_topk"], cachePerToken(config, plan["kv_cache"], layers, indexers)
    return min(context, chosen) * token["latent"] + context * token["index_keys"]


def count(folder, plan):
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    layers, experts, chosen = (config[key] for key in ("num_hidden_layers", "n_routed_experts", "num_experts_per_tok"))
    fileCount, tensors = headers(folder)
    expected = {"files": fileCount, "tensors": len(tensors), "layers": layers, "max_positions": config["max_position_embeddings"]}
    byClass, parameters, byPrecision, read, ranked = {}, {}, {}, {}, [0] * plan["ranks"]
    active, rankRead, replicated, mtpRank = 0, 0, 0, 0
    for weight in weights(tensors):
        kind = classOf(weight.module, layers)
        byClass[kind] = byClass.get(kind, 0) + weight.bytes
        parameters[kind] = parameters.get(kind, 0) + weight.elements
        byPrecision[weight.precision] = byPrecision.get(weight.precision, 0) + weight.bytes
        first, last = (weight.ofRank(rank, plan["ranks"]) for rank in (0, plan["ranks"] - 1))
        share = {"routed_experts": chosen / experts, "mtp": 0, "embeddings": 1 / config["vocab_size"]}.get(kind, 1)
        read[kind] = read.get(kind, 0) + (weight.bytes - weight.inputScales) * share
        rankRead += (weight.bytes if kind == "embeddings" else first) * share
        for rank in range(plan["ranks"]):
            ranked[rank] += first if first == last else weight.ofRank(rank, plan["ranks"])
        if len(weight.shape) == 2 and kind != "embeddings":
            active += weight.elements * share
        if divided(weight.module) is None:
            replicated += weight.bytes - weight.inputScales
        mtpRank += first if kind == "mtp" else 0
    indexers = sum(f"model.layers.{layer}.self_attn.indexer.k_norm.weight" in tensors for layer in range(layers))
    expected |= {
        "parameters": sum(parameters.values()),
        "active_parameters": round(active),
        "checkpoint_bytes": sum(byClass.values()),
        "parameters_by_class": parameters,
        "bytes_by_class": byClass,
        "bytes_by_precision": byPrecision,
        "bytes_per_token": {
            "total": round(sum(read.values())),
            "per_rank": round(rankRead),
            "by_class": {kind: round(value) for kind, value in read.items()},
        },
        "indexer_layers": indexers,
        "mtp_layers": int("mtp" in byClass),
        "kv_bytes_per_token": cachePerToken(config, plan["kv_cache"], layers, indexers)["total"],
        "kv_bytes_per_token_by_type": {kind: cachePerToken(config, kind, layers, indexers) for kind in ("bf16", "fp8")},
        "cache_bytes_read": cacheRead(config, plan, layers, indexers),
        "mtp_kv_bytes_per_token": cachePerToken(config, plan["kv_cache"], 1, 1)["total"] if "mtp" in byClass else 0,
        "weight_bytes": {"total": sum(ranked), "per_rank": ranked, "replicated": replicated, "mtp_per_rank": mtpRank},
    }
    return expected


def fit(plan):
    free = plan["memory_bytes"] - max(plan["weight_bytes"]["per_rank"]) - plan["workspace_bytes"]
    return {"free_bytes": max(0, free), "kv_tokens": max(0, free) // plan["kv_bytes_per_token"]}


def main():
    folder, plan = Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    expected = count(folder, plan)
    if "memory_bytes" in plan:
        expected |= fit(plan)
    failures = [
        f"{key} must be {value}, but found {plan.get(key)}" for key, value in expected.items() if plan.get(key) != value
    ]
    for parts in ("bytes_by_class", "bytes_by_precision"):
        if sum(plan[parts].values()) != plan["checkpoint_bytes"]:
            failures.append(f"{parts} must sum to {plan['checkpoint_bytes']}")
    print("\n".join(failures) or f"{plan['checkpoint_bytes']} bytes, {plan['parameters']} parameters")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
