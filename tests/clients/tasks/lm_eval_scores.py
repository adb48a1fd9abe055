"""lm-evaluation-harness: log-likelihoods through /v1/completions, for a small task of its own.

The tokenizer is the one in the model's file, for models of the demo model's family.
"""
import json
import os
import tempfile
import urllib.request

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["OPENAI_API_KEY"] = os.environ["VERNAL_KEY"]

import gguf
import lm_eval
import transformers
from lm_eval.tasks import TaskManager

from task import KEY, MODEL, URL, run, task

QUESTIONS = [("The capital of France is", [" Paris", " Berlin", " a banana"], 0),
             ("Two and two make", [" seven", " four", " blue"], 1),
             ("Water freezes at zero degrees", [" Celsius", " Kelvin", " metres"], 0)]
TASK = """task: facts
dataset_path: json
dataset_kwargs: {{data_files: {{test: {file}}}}}
test_split: test
output_type: multiple_choice
doc_to_text: "{{{{question}}}}"
doc_to_choice: choices
doc_to_target: answer
target_delimiter: ""
metric_list: [{{metric: acc}}]
"""
folder = tempfile.TemporaryDirectory()


def place(name):
    return os.path.join(folder.name, name)


def write_tokenizer():
    """The vocabulary of the GGUF file as the library reads it."""
    reader = gguf.GGUFReader(os.environ["VERNAL_GGUF"])
    strings = lambda key: reader.get_field(key).contents()
    tokens = strings("tokenizer.ggml.tokens")
    with open(place("vocab.json"), "w") as file:
        json.dump({token: number for number, token in enumerate(tokens)}, file)
    with open(place("merges.txt"), "w") as file:
        file.write("#version: 0.2\n" + "\n".join(strings("tokenizer.ggml.merges")) + "\n")
    with open(place("tokenizer_config.json"), "w") as file:
        json.dump({"tokenizer_class": "Qwen2Tokenizer", "eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>"}, file)


@task
def the_tokenizer_is_the_servers():
    write_tokenizer()
    ours = transformers.AutoTokenizer.from_pretrained(folder.name).encode("The capital of France is Paris.")
    request = urllib.request.Request(f"{URL}/tokenize", json.dumps({"content": "The capital of France is Paris."}).encode(),
                                     {"Content-Type": "application/json", "Authorization": f"Bearer {KEY}"})
    with urllib.request.urlopen(request) as answer:
        assert json.load(answer)["tokens"] == ours


@task
def log_likelihoods_choose_the_right_answers():
    with open(place("facts.json"), "w") as file:
        for question, choices, answer in QUESTIONS:
            file.write(json.dumps({"question": question, "choices": choices, "answer": answer}) + "\n")
    with open(place("facts.yaml"), "w") as file:
        file.write(TASK.format(file=place("facts.json")))
    found = lm_eval.simple_evaluate(
        model="local-completions", tasks=["facts"], task_manager=TaskManager(include_path=folder.name, include_defaults=False),
        model_args={"model": MODEL, "base_url": f"{URL}/v1/completions", "tokenizer": folder.name, "tokenizer_backend": "huggingface",
                    "max_retries": 1, "timeout": 600},
        log_samples=True, bootstrap_iters=0)
    assert found["results"]["facts"]["acc,none"] == 1.0, found["samples"]
    for sample in found["samples"]["facts"]:
        for ((logprob, is_greedy),) in sample["resps"]:
            assert float(logprob) < 0, sample


run()
