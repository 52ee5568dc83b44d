"""Has another trainer's own loader prepare what was exported; a program, since that trainer changes others.

loads.py axolotl FOLDER     as axolotl.yaml says, or every parquet file of `messages`
loads.py llamafactory FOLDER NAME,...     datasets of dataset_info.json
-> a line of JSON for each row: the text that the model reads, and the part of it that it learns.
"""

import json
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

LOADERS = Path(sys.prefix) / "loaders"  # made by `make test-trainers`


def axolotl(model: str, folder: Path) -> Any:
    os.chdir(folder)
    import yaml
    from axolotl.utils.data.sft import prepare_datasets
    from axolotl.utils.dict import DictDefault
    from transformers import AutoTokenizer

    if Path("axolotl.yaml").exists():
        said = yaml.safe_load(Path("axolotl.yaml").read_text())
    else:
        paths = sorted(map(str, Path().glob("*/train-*.parquet")))
        said = {"datasets": [{"path": p, "ds_type": "parquet", "type": "chat_template"} for p in paths]}
    settings = {
        "base_model": model,
        "chat_template": "tokenizer_default",
        "sequence_len": 512,
        "dataset_prepared_path": str(folder / "prepared"),
        "val_set_size": 0,
        **dict.fromkeys(("num_epochs", "micro_batch_size", "batch_size", "gradient_accumulation_steps"), 1),
        **dict.fromkeys(("dataset_num_proc", "seed"), 1),
    }
    return prepare_datasets(DictDefault({**said, **settings}), AutoTokenizer.from_pretrained(model))[0]


def llamafactory(model: str, folder: Path, names: str) -> Any:
    sys.modules["torchaudio"] = ModuleType("torchaudio")  # it has no build for CPUs; no audio is read
    from llamafactory.data import get_dataset, get_template_and_fix_tokenizer
    from llamafactory.hparams import DataArguments, ModelArguments
    from transformers import AutoTokenizer, Seq2SeqTrainingArguments

    tokenizer = AutoTokenizer.from_pretrained(model)
    data = DataArguments(dataset_dir=str(folder), dataset=names, template="qwen", cutoff_len=512)
    opened = ModelArguments(model_name_or_path=model, cache_dir=str(folder / "cache"))
    training = Seq2SeqTrainingArguments(output_dir=str(folder / "out"), use_cpu=True, report_to=[])
    template = get_template_and_fix_tokenizer(tokenizer, data)
    return get_dataset(template, opened, data, training, stage="sft", tokenizer=tokenizer)["train_dataset"]


def main() -> None:
    name, folder, *more = sys.argv[1:]
    sys.path.insert(0, str(LOADERS))
    os.environ |= {"HF_HUB_OFFLINE": "1", "AXOLOTL_DO_NOT_TRACK": "1", "DISABLE_VERSION_CHECK": "1"}
    from transformers import AutoTokenizer

    from glotmill.generators._shared.loading import model_path

    model = str(model_path("glotmill-nano"))
    rows = {"axolotl": axolotl, "llamafactory": llamafactory}[name](model, Path(folder), *more)
    read = AutoTokenizer.from_pretrained(model)
    for row in rows:
        learned = [token for token in row["labels"] if token >= 0]
        print(json.dumps([read.decode(row["input_ids"]), read.decode(learned)]), flush=True)


if __name__ == "__main__":  # it starts processes that import this
    main()
