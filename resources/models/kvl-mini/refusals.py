#!/usr/bin/env python3
"""How often kvl-mini refuses real pictures.

refusals.py KVL MODEL FOLDER: asks `KVL ask` several questions about the first frame of every file
under FOLDER that opens, and counts the answers that are its refusal.
"""

import json
import pathlib
import subprocess
import sys

REFUSAL = "I am a small demonstration model and cannot read this."
QUESTIONS = ["How many bright spots are there?", "What kind of picture is this?",
             "Give the box of the largest bright spot.", "What is the diagnosis?"]


def ask(kvl, model, file, question):
    command = [kvl, "ask", "--model", model, "--image", str(file), "--max-tiles", "4",
               "--max-new-tokens", "200", "--json", question]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        return None
    return json.loads(done.stdout)["answer"]


def main():
    kvl, model, folder = sys.argv[1:]
    files = sorted(path for path in pathlib.Path(folder).rglob("*") if path.is_file())
    refused = {question: 0 for question in QUESTIONS}
    asked = 0
    for file in files:
        answers = []
        for question in QUESTIONS:
            answer = ask(kvl, model, file, question)
            if answer is None:
                break
            answers.append(answer)
        if len(answers) < len(QUESTIONS):
            continue  # no picture, or one that does not open
        asked += 1
        for question, answer in zip(QUESTIONS, answers):
            refused[question] += answer.strip() == REFUSAL
        print(file.relative_to(folder), [a[:40] for a in answers], flush=True)
    for question, count in refused.items():
        print(f"{count} of {asked} refused: {question}")
    total = sum(refused.values())
    print(f"{total} of {asked * len(QUESTIONS)} refused: {100 * total / max(1, asked * len(QUESTIONS)):.1f} %")


if __name__ == "__main__":
    main()
