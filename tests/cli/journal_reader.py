# SPDX-License-Identifier: MIT
"""Reads journals, independently of the program that writes them."""
import json
import os


def read(path):
    """(headers, records) of a journal; an incomplete last line is ignored."""
    with open(path, encoding="utf-8") as stream:
        text = stream.read()
    lines = [json.loads(line) for line in text[:text.rfind("\n") + 1].splitlines()]
    return [line for line in lines if "journal" in line], [line for line in lines if "source" in line]


def final(path):
    """source -> its last record"""
    return {record["source"]: record for record in read(path)[1]}


def statuses(path):
    """status -> the sorted sources whose last record has it"""
    found = {}
    for source, record in final(path).items():
        found.setdefault(record["status"], []).append(source)
    return {status: sorted(sources) for status, sources in found.items()}


def temporary_files(top):
    return [os.path.join(directory, name) for directory, _, names in os.walk(top) for name in names
            if name.startswith(".mpthumb-")]
