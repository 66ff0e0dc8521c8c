#!/usr/bin/env python3
"""Asks `kvl ask` and transformers' own InternVL the same question and compares every token.

    compare_transformers.py --kvl build/dev/bin/kvl --model FOLDER [--image FILE]… [--tokens 64] QUESTION

A source apart from make_model.py's: `InternVLForConditionalGeneration` of transformers, with the
checkpoint's tensors put under its names (model specification 4.2). The prompt's ids are taken from
`kvl ask --json`, the tiles from `kvl tiles`, so that only the network is compared; fp32, greedy.
Exit status 1 where a token differs.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy
import torch
import transformers
from PIL import Image
from safetensors import safe_open

MEAN = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
STD = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)


def tensors_of(folder):
    index = folder / "model.safetensors.index.json"
    shards = sorted(set(json.loads(index.read_text())["weight_map"].values())) if index.exists() else ["model.safetensors"]
    for shard in shards:
        with safe_open(folder / shard, "pt") as file:
            for name in file.keys():
                yield name, file.get_tensor(name)


def native_names(name, value):
    if name.startswith("language_model.model."):
        yield name.replace("language_model.model.", "model.language_model."), value
    elif name == "language_model.lm_head.weight":
        yield "lm_head.weight", value
    elif name.startswith("mlp1."):
        part = {"0": "layer_norm", "1": "linear_1", "3": "linear_2"}[name.split(".")[1]]
        yield f"model.multi_modal_projector.{part}.{name.split('.')[2]}", value
    else:
        new = name.replace("vision_model.", "model.vision_tower.").replace("encoder.layers.", "encoder.layer.")
        for old, other in (("class_embedding", "cls_token"), ("patch_embedding", "patch_embeddings.projection"),
                           ("position_embedding", "position_embeddings"), ("attn.proj", "attention.projection_layer"),
                           ("norm1", "layernorm_before"), ("norm2", "layernorm_after"), (".ls1", ".lambda_1"), (".ls2", ".lambda_2")):
            new = new.replace(old, other)
        if "attn.qkv" in new:
            for part, third in zip("qkv", value.chunk(3)):
                yield new.replace("attn.qkv", f"attention.{part}_proj"), third
        else:
            yield new, value


def native_config(config, attention):
    vision, llm = config["vision_config"], config["llm_config"]
    native = transformers.InternVLConfig(
        vision_config=dict(hidden_size=vision["hidden_size"], num_hidden_layers=vision["num_hidden_layers"],
                           num_attention_heads=vision["num_attention_heads"], intermediate_size=vision["intermediate_size"],
                           attention_bias=vision["qkv_bias"], use_qk_norm=vision["qk_normalization"],
                           layer_norm_eps=vision["layer_norm_eps"], norm_type=vision["norm_type"], hidden_act=vision["hidden_act"],
                           image_size=[config["force_image_size"]] * 2, patch_size=[vision["patch_size"]] * 2,
                           use_mean_pooling=True, use_absolute_position_embeddings=True, use_mask_token=False),
        text_config={k: v for k, v in llm.items() if k not in ("architectures", "torch_dtype", "dtype")},
        downsample_ratio=config["downsample_ratio"], projector_hidden_act="gelu", vision_feature_layer=-1,
        vision_feature_select_strategy="default", tie_word_embeddings=False)
    native._attn_implementation = attention
    return native


def load(folder, config):
    model = transformers.InternVLForConditionalGeneration(native_config(config, "eager")).float().eval()
    state = dict(pair for name, value in tensors_of(folder) for pair in native_names(name, value.float()))
    missing, unexpected = model.load_state_dict(state, strict=False)
    assert not missing and not unexpected, (missing, unexpected)
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kvl", required=True)
    parser.add_argument("--model", required=True, type=pathlib.Path)
    parser.add_argument("--image", action="append", default=[])
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--max-tiles", type=int, default=12)
    parser.add_argument("question")
    options = parser.parse_args()
    torch.set_grad_enabled(False)

    asked = [options.kvl, "ask", "--model", options.model, "--device", "cpu", "--dtype", "fp32", "--json", "--max-tiles",
             str(options.max_tiles), "--max-new-tokens", str(options.tokens)]
    for image in options.image:
        asked += ["--image", image]
    ours = json.loads(subprocess.run(asked + [options.question], check=True, capture_output=True, text=True).stdout)

    config = json.loads((options.model / "config.json").read_text())
    pixels = []
    for image in options.image:
        with tempfile.TemporaryDirectory() as out:
            subprocess.run([options.kvl, "tiles", image, "--out", out, "--max-tiles", str(options.max_tiles), "--tile-size",
                            str(config["force_image_size"])], check=True, capture_output=True)
            for tile in sorted(pathlib.Path(out).glob("tile-*.png")):
                array = torch.from_numpy(numpy.array(Image.open(tile))).permute(2, 0, 1).float()
                pixels.append((array / 255 - MEAN) / STD)

    model = load(options.model, config)
    ids = torch.tensor([ours["prompt_ids"]])
    embeds = model.get_input_embeddings()(ids)
    if pixels:
        features = model.model.get_image_features(pixel_values=torch.stack(pixels), vision_feature_layer=-1,
                                                  vision_feature_select_strategy="default")
        tokens = json.loads(subprocess.run([options.kvl, "tokenize", "--model", options.model, "--control"], input="<IMG_CONTEXT>",
                                           check=True, capture_output=True, text=True).stdout)
        mask = ids[0] == tokens[0]
        embeds[0, mask] = features.reshape(-1, features.shape[-1])
    stop = ours["new_ids"][-1] if ours["stop"] == "end_of_turn" else None
    cache, new, margin = None, [], float("inf")
    while len(new) < len(ours["new_ids"]):
        out = model.model.language_model(inputs_embeds=embeds, past_key_values=cache, use_cache=True)
        cache = out.past_key_values
        top = model.lm_head(out.last_hidden_state[:, -1]).float()[0].topk(2)
        margin = min(margin, float(top.values[0] - top.values[1]))
        new.append(int(top.indices[0]))
        if new[-1] == stop:
            break
        embeds = model.get_input_embeddings()(torch.tensor([[new[-1]]]))
    same = new == ours["new_ids"]
    print(json.dumps({"tokens": len(new), "prompt": len(ours["prompt_ids"]), "equal": same, "smallest_margin": round(margin, 5)}))
    if not same:
        print("ours  ", ours["new_ids"], "\ntheirs", new)
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
