"""Loads a model and its tokenizer with transformers, and adapters onto it."""

import logging
import os
import warnings
from pathlib import Path
from typing import Any

from glotmill.errors import EngineError, typed_line
from glotmill.generators._shared.loading import check_options, dtype_on_cpu, model_path, not_installed

_OPTIONS = [  # of `from_pretrained`, which itself accepts any name
    "attn_implementation",
    "cache_dir",
    "device_map",
    "dtype",
    "force_download",
    "local_files_only",
    "max_memory",
    "offload_folder",
    "quantization_config",
    "subfolder",
    "token",
    "trust_remote_code",
    "use_safetensors",
    "variant",
]
_SHARED = ("local_files_only", "token", "trust_remote_code", "cache_dir", "subfolder")  # with the tokenizer


_logger = logging.getLogger("glotmill")


def open_model(model: str, revision: str | None, options: dict[str, Any]) -> tuple[Any, Any]:
    """Return the model and its tokenizer, without the warnings they print while loading.

    Raises UsageError for an unknown option, EngineError if the model cannot be loaded or batched.
    """
    check_options("transformers", options, [*_OPTIONS, "batch_size", "max_model_len"])
    path = model_path(model)
    # Threads that spin while they wait are twelve times slower where cores are shared.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import torch
            from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer
            from transformers.utils import logging as library_logging
        except ImportError as error:
            raise not_installed("transformers", "'glotmill[transformers]'", error) from error
        library_logging.set_verbosity_error()
        library_logging.disable_progress_bar()
        arguments = {"local_files_only": Path(path).is_dir(), **options}
        shared = {name: arguments[name] for name in _SHARED if name in arguments}
        gpu = torch.cuda.is_available()
        try:
            if "dtype" not in arguments:
                config = AutoConfig.from_pretrained(path, revision=revision, **shared).get_text_config()
                arguments["dtype"] = "auto" if gpu else dtype_on_cpu(str(config.dtype), config.hidden_size)
            tokenizer = AutoTokenizer.from_pretrained(path, revision=revision, **shared)
            network = AutoModelForCausalLM.from_pretrained(path, revision=revision, **arguments).eval()
            if gpu and "device_map" not in arguments:
                network = network.to("cuda")
                if (gpus := torch.cuda.device_count()) > 1:
                    _logger.warning(
                        "engine transformers: uses one of %s GPUs; --engine vllm uses them all", gpus
                    )
        except Exception as error:
            raise EngineError(f"engine transformers: cannot open {model}: {typed_line(error)}") from error
    if getattr(network, "_is_stateful", False):
        raise EngineError(
            f"engine transformers: {model} keeps a state that this engine cannot batch; use --engine vllm"
        )
    return network, tokenizer


class Adapters:
    """The LoRA adapters of a model, loaded when first asked for; one at a time is in use."""

    def __init__(self, network: Any) -> None:
        self.network = network
        self.loaded: list[str] = []
        self.active = ""

    def use(self, name: str) -> None:
        """Let the model compute with an adapter, or with none if the name is empty. Raises EngineError."""
        if name == self.active:
            return
        try:
            import peft  # noqa: F401 transformers says less when it is missing

            if name and name not in self.loaded:
                self.network.load_adapter(name, adapter_name=f"lora{len(self.loaded)}")
                self.loaded.append(name)
            if not name:
                self.network.disable_adapters()
            else:
                self.network.enable_adapters()
                self.network.set_adapter(f"lora{self.loaded.index(name)}")
        except ImportError as error:
            raise not_installed("transformers", "'glotmill[lora]'", error) from error
        except Exception as error:
            raise EngineError(
                f"engine transformers: cannot open the adapter {name}: {typed_line(error)}"
            ) from error
        self.active = name
