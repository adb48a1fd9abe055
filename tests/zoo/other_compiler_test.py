#!/usr/bin/env python3
"""other_compiler_test.py CHECK COMPILER TABLE FOLDER: architectures give one module, whatever compiler made them.

TABLE has one line for each plugin, made by CMake: its file, its source folder, its sources, its definitions and its
include folders, lists separated by ";". Each is built again with COMPILER into FOLDER, and `vernal-plugin-check
--print-module` of both files is compared. C++ leaves open which argument of a call is evaluated first: a source that
makes two builder calls in one argument list differs here.
"""
import concurrent.futures
import pathlib
import subprocess
import sys

FLAGS = ["-std=c++20", "-O0", "-w", "-fPIC", "-fvisibility=hidden"]


class Plugin:
    def __init__(self, line, folder):
        file, self.source_folder, sources, definitions, includes = line.split("\t")
        self.file = pathlib.Path(file)
        self.sources = [pathlib.Path(self.source_folder, source) for source in sources.split(";")]
        self.flags = FLAGS + [f"-D{definition}" for definition in definitions.split(";") if definition]
        self.flags += [f"-I{include}" for include in includes.split(";") if include]
        self.rebuilt = folder / self.file.name

    def objects(self, folder):
        """Object by source. What plugins share is compiled once; entry and manifest know the plugin's name."""
        own = ("plugin.cpp", "manifest.cpp")
        return {source: folder / (f"{self.file.stem}_{source.name}.o" if source.name in own else
                                  f"{source.parent.name}_{source.name}.o") for source in self.sources}


def run(command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]}: {done.stdout}{done.stderr}")
    return done.stdout


def difference(check, plugin):
    """The first line in which the two modules differ, or nothing."""
    ours, theirs = (run([check, file, "--print-module"]).splitlines() for file in (plugin.file, plugin.rebuilt))
    if not ours:
        return f"{plugin.file.stem}: the module is empty"
    for number, (a, b) in enumerate(zip(ours, theirs), 1):
        if a != b:
            return f"{plugin.file.stem}: line {number} is\n  {a}\nand, made by the other compiler,\n  {b}"
    return None if len(ours) == len(theirs) else f"{plugin.file.stem}: {len(ours)} lines and {len(theirs)}"


def main():
    check, compiler, table, folder = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3]), pathlib.Path(sys.argv[4])
    folder.mkdir(parents=True, exist_ok=True)
    plugins = [Plugin(line, folder) for line in table.read_text().splitlines() if line]
    compiled = {target: (plugin.flags, source) for plugin in plugins
                for source, target in plugin.objects(folder).items()}
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda item: run([compiler, *item[1][0], "-c", item[1][1], "-o", item[0]]), compiled.items()))
        list(pool.map(lambda p: run([compiler, "-shared", "-o", p.rebuilt, *p.objects(folder).values()]), plugins))
        problems = [text for text in pool.map(lambda p: difference(check, p), plugins) if text]
    print("\n".join(problems))
    print(f"{len(plugins)} architectures, {len(problems)} differ")
    return 1 if problems or not plugins else 0


if __name__ == "__main__":
    sys.exit(main())
