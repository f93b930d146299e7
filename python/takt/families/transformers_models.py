"""Architectures of Hugging Face's transformers, small, with their initial weights, as
PyTorch's current exporter writes them: as they stand and optimized."""

import logging
import warnings

PACKAGES = ["torch==2.13.0", "transformers==5.24.0", "onnx==1.19.1",
            "onnxscript==0.7.2"]
VERIFIES = True
OPSET = 18

TEXT = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
        "intermediate_size": 64, "vocab_size": 96, "max_position_embeddings": 64}
IMAGE = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
         "intermediate_size": 64, "image_size": 32, "patch_size": 8}
GROUPED = {"num_key_value_heads": 2}
GPT = {"vocab_size": 96, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64}
PAIR = {"vocab_size": 96, "d_model": 32, "encoder_layers": 1, "decoder_layers": 1,
        "encoder_attention_heads": 4, "decoder_attention_heads": 4, "encoder_ffn_dim": 64,
        "decoder_ffn_dim": 64}

# Classes of sentences: configuration beyond that of TEXT.
ENCODERS = {
    "Bert": {}, "Roberta": {"pad_token_id": 1}, "Electra": {"embedding_size": 16},
    "Albert": {"embedding_size": 16}, "MPNet": {}, "Camembert": {}, "XLMRoberta": {},
    "DebertaV2": {"relative_attention": True, "pos_att_type": ["p2c", "c2p"],
                  "position_buckets": 8},
    "MobileBert": {"embedding_size": 16, "intra_bottleneck_size": 16,
                   "true_hidden_size": 16},
    "SqueezeBert": {"embedding_size": 32}, "FNet": {},
    "ModernBert": {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
                   "cls_token_id": 1, "sep_token_id": 2}}
# Next words: configuration beyond that of TEXT.
DECODERS = {
    "GPTNeoX": {}, "Falcon": {}, "Llama": GROUPED, "Mistral": GROUPED, "Qwen2": GROUPED,
    "Qwen3": {**GROUPED, "head_dim": 8}, "Gemma": {**GROUPED, "head_dim": 8},
    "Gemma2": {**GROUPED, "head_dim": 8}, "Phi": {"num_key_value_heads": 4},
    "Phi3": {"num_key_value_heads": 4, "pad_token_id": 0},
    "StableLm": {"num_key_value_heads": 4}, "Olmo": {}, "Cohere": GROUPED,
    "Starcoder2": GROUPED}
# Next words: all of the configuration.
OTHER_DECODERS = {
    "GPT2LMHeadModel": ("GPT2Config", GPT),
    "GPTJForCausalLM": ("GPTJConfig", {**GPT, "rotary_dim": 4}),
    "GPTNeoForCausalLM": ("GPTNeoConfig", {
        "vocab_size": 96, "hidden_size": 32, "num_layers": 2, "num_heads": 4,
        "attention_types": [[["global", "local"], 1]], "max_position_embeddings": 64}),
    "OPTForCausalLM": ("OPTConfig", {
        "vocab_size": 96, "hidden_size": 32, "ffn_dim": 64, "num_hidden_layers": 2,
        "num_attention_heads": 4, "max_position_embeddings": 64,
        "word_embed_proj_dim": 32}),
    "BloomForCausalLM": ("BloomConfig", {"vocab_size": 96, "hidden_size": 32,
                                         "n_layer": 2, "n_head": 4}),
    "MambaForCausalLM": ("MambaConfig", {"vocab_size": 96, "hidden_size": 32,
                                         "num_hidden_layers": 2, "state_size": 4}),
    "RwkvForCausalLM": ("RwkvConfig", {
        "vocab_size": 96, "hidden_size": 32, "num_hidden_layers": 2,
        "attention_hidden_size": 32, "intermediate_size": 64})}
# Classes of images: all of the configuration.
IMAGES = {
    "ViT": IMAGE, "DeiT": IMAGE, "Beit": IMAGE, "Dinov2": IMAGE,
    "ConvNext": {"hidden_sizes": [8, 16], "depths": [1, 1], "num_stages": 2},
    "ConvNextV2": {"hidden_sizes": [8, 16], "depths": [1, 1], "num_stages": 2},
    "MobileViT": {"image_size": 32}, "MobileNetV2": {"image_size": 32},
    "PoolFormer": {"hidden_sizes": [8, 16, 16, 16], "depths": [1, 1, 1, 1]},
    "RegNet": {"embedding_size": 8, "hidden_sizes": [8, 16, 16, 16],
               "depths": [1, 1, 1, 1], "groups_width": 4}}


def cases(transformers):
    """Name: (class, configuration, options of it, inputs by name)."""
    import torch
    ids = torch.randint(3, 90, (2, 10))
    words, picture = {"input_ids": ids}, {"pixel_values": torch.randn(2, 3, 32, 32)}
    pair = {**words, "decoder_input_ids": ids[:, :6]}
    found = {}
    for name, options in ENCODERS.items():
        found[name] = (f"{name}ForSequenceClassification", f"{name}Config",
                       {**TEXT, **options}, words)
    found["DistilBert"] = (
        "DistilBertForSequenceClassification", "DistilBertConfig",
        {"vocab_size": 96, "dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 64,
         "max_position_embeddings": 64}, words)
    for name, options in DECODERS.items():
        found[name] = (f"{name}ForCausalLM", f"{name}Config",
                       {**TEXT, **options, "use_cache": False}, words)
    for name, (configuration, options) in OTHER_DECODERS.items():
        found[name] = (name, configuration, {**options, "use_cache": False}, words)
    for name, options in IMAGES.items():
        found[name] = (f"{name}ForImageClassification", f"{name}Config", options, picture)
    found["Bart"] = ("BartForConditionalGeneration", "BartConfig",
                     {**PAIR, "max_position_embeddings": 64, "use_cache": False}, pair)
    found["Whisper"] = (
        "WhisperForConditionalGeneration", "WhisperConfig",
        {**PAIR, "max_source_positions": 20, "max_target_positions": 32,
         "num_mel_bins": 8, "use_cache": False, "pad_token_id": 0, "bos_token_id": 1,
         "eos_token_id": 2, "decoder_start_token_id": 1, "suppress_tokens": None,
         "begin_suppress_tokens": None},
        {"input_features": torch.randn(2, 8, 40), "decoder_input_ids": ids[:, :6]})
    found["CLIPVision"] = ("CLIPVisionModel", "CLIPVisionConfig", IMAGE, picture)
    found["Segformer"] = (
        "SegformerForSemanticSegmentation", "SegformerConfig",
        {"num_encoder_blocks": 2, "depths": [1, 1], "sr_ratios": [2, 1],
         "hidden_sizes": [8, 16], "patch_sizes": [3, 3], "strides": [2, 2],
         "num_attention_heads": [1, 2], "mlp_ratios": [2, 2], "decoder_hidden_size": 8},
        picture)
    found["Wav2Vec2"] = (
        "Wav2Vec2ForSequenceClassification", "Wav2Vec2Config",
        {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 4,
         "intermediate_size": 64, "conv_dim": (16, 16), "conv_stride": (5, 2),
         "conv_kernel": (10, 3), "num_feat_extract_layers": 2,
         "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 2},
        {"input_values": torch.randn(2, 800)})
    found["PatchTST"] = (
        "PatchTSTForPrediction", "PatchTSTConfig",
        {"num_input_channels": 2, "context_length": 32, "patch_length": 8,
         "patch_stride": 8, "prediction_length": 4, "d_model": 16,
         "num_hidden_layers": 1, "num_attention_heads": 2, "ffn_dim": 32},
        {"past_values": torch.randn(2, 32, 2)})
    return found


def first_tensor(module, names):
    import torch

    class First(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.module = module

        def forward(self, *values):
            outputs = self.module(**dict(zip(names, values)), return_dict=True)
            return outputs["logits"] if "logits" in outputs else outputs[0]
    return First()


def exporter(case, optimize):
    def export(path):
        import torch
        import transformers
        kind, configuration, options, inputs = case
        torch.manual_seed(0)
        made = getattr(transformers, kind)(getattr(transformers, configuration)(**options))
        module = first_tensor(made, list(inputs)).eval()
        values = tuple(inputs.values())
        torch.onnx.export(module, values, path, opset_version=OPSET, dynamo=True,
                          optimize=optimize, verbose=False, external_data=False,
                          input_names=list(inputs), output_names=["y"])
        with torch.no_grad():
            output = module(*values).numpy()
        return {name: value.numpy() for name, value in inputs.items()}, output
    return export


def models():
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    import torch
    import transformers
    torch.manual_seed(0)
    for name, case in cases(transformers).items():
        for optimize in (False, True):
            yield f"{name}{'-optimized' if optimize else ''}", exporter(case, optimize)
