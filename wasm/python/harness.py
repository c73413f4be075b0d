"""Runs the guest's code and turns what happened into JSON text and buffers.

Executed once per interpreter, in a namespace of its own, with names given by the worker: `emit(stream, text)`
prints a text or its bytes, `watch_output()` has `flush_held` called soon, `show(bundle)` and `show_table(rows, text, total)` display,
`exceed(bound)` reports too much output, `keep(view)` copies a buffer out and answers its number; `hold(view)` does the same for a tool's call, which
`call_tool` and `start_tool` send. `schedule(callback, ms)` calls back while the run lasts, unless `drop_callbacks()` comes first; `interrupt_again()`
asks once more to stop. `can_switch` says whether a stack can be put aside, and `nap(ms)`, where memory is shared, sleeps until it is asked to stop.
It is speed and manners, not a wall: a guest can reach and change all of it, and then fools only itself.
"""

import array
import ast
import asyncio
import base64
import collections
import datetime
import importlib
import io
from functools import wraps
from json import JSONEncoder, loads
import linecache
import math
from operator import index
import os
import signal
import sys
import time
import traceback
import types

from _imp import is_frozen
from pyodide import ffi, webloop
from pyodide.ffi import can_run_sync, run_sync

CO_COROUTINE = 0x80
MAX_SAFE = 2**53 - 1
MESSAGE_LIMIT = 16_384
TRACEBACK_LIMIT = 65_536
FILE_LIMIT = 1000
ALONE_LIMIT = 1000
# the loader copies texts character by character, and bytes at once
LONG_TEXT = 4096
DIRECTORY = "/sandbox"
LEFT_OVER_SECONDS = 0.1
# a sleep that nobody can wake looks so often whether it must end; beyond the other bound Python's own refuses
NAP_SECONDS = 0.02
LONGEST_SLEEP = 9e9
# code that says one of these may wait with its stack put aside
WAITING = b"asyncio", b"run_sync", b"webloop"

# bound here: a guest that replaces `json.dumps`, for a test of its own, still gets its result
dumps = JSONEncoder(allow_nan=False, check_circular=False).encode

main = types.ModuleType("__main__")
sys.modules["__main__"] = main
runs = 0


class OutputExceeded(BaseException):
    """Printed too much. Not an Exception, so that ordinary handlers let it pass."""


class Submission(BaseException):
    """Carries what was submitted out of any ordinary handler."""

    def __init__(self, value):
        self.value = value


def SUBMIT(*values, **named):
    """Ends the run with an answer: one value, or any number of named ones."""
    if len(values) > 1 or (values and named):
        raise TypeError("SUBMIT takes one value, or keyword arguments")
    if not values and not named:
        raise TypeError("SUBMIT takes one value, or keyword arguments; none was given")
    submit({"output": values[0]} if values else named)


def submit(fields):
    """The first one counts, wherever it was called: what becomes of an exception in a task, or in a callback, is not the run's end."""
    global submission
    error = Submission(fields)
    if submission is None:
        submission = error
    # in the run's own code the exception does it
    waiting = next((future for future in reversed(waited) if not future.done()), main_task)
    if waiting is not None and asyncio.current_task(loop) is not waiting:
        waiting.cancel()
    raise error


def say_nothing_of_submissions():
    """To the event loop one is an exception that nobody has handled."""
    report = loop.call_exception_handler
    loop.call_exception_handler = lambda context: isinstance(context.get("exception"), Submission) or report(context)


def submit_with(fields):
    """A SUBMIT that takes exactly these names, by position or by name."""
    if fields is None:
        return SUBMIT
    from inspect import Parameter, Signature

    kind = Parameter.POSITIONAL_OR_KEYWORD
    signature = Signature(
        [Parameter(name, kind, annotation=Parameter.empty if type is None else type) for name, type in fields]
    )

    def submit_fields(*values, **named):
        """Ends the run with an answer."""
        submit(dict(signature.bind(*values, **named).arguments))

    submit_fields.__name__ = submit_fields.__qualname__ = "SUBMIT"
    submit_fields.__signature__ = signature
    return submit_fields


# ---- printing


class Budget:
    """Bytes that may still be used up."""

    left = 0


class Printer(io.TextIOBase):
    """
    Hands text on by lines at first, then in batches of 16 ms, 4 KiB or a thirty-second of the lines so far, as the worker does: a chatty guest must
    not flood the page. There is one for each stream, and guests keep it: it is the same in every run.
    """

    encoding = "utf-8"
    errors = "replace"

    def __init__(self, stream, budget):
        self.stream = stream
        self.budget = budget
        self.parts = []
        self.size = 0
        self.lines = 0
        self.sent = 0
        self.flushes = 0
        self.last = 0.0

    def begin(self):
        """For another run: nothing is left, not even what the guest made of it."""
        self.__dict__.clear()
        Printer.__init__(self, printers.index(self), budget)

    def writable(self):
        return True

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        left = self.budget.left
        if len(text) > left or (not text.isascii() and len(text.encode("utf-8", "replace")) > left):
            kept = text[:left].encode("utf-8", "replace")[: max(left, 0)].decode("utf-8", "ignore")
            self.budget.left = 0
            self.parts.append(kept)
            self.flush()
            exceed("outputBytes")
            raise OutputExceeded()
        size = len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
        self.budget.left = left - size
        self.parts.append(text)
        self.size += size
        lines = text.count("\n")
        self.lines += lines
        if self.size >= 4096 or (lines and self.is_due()):
            self.flush()
        elif not is_watched:
            watch_held()
        return len(text)

    def is_due(self):
        return self.flushes < 64 or self.lines * 32 >= self.sent or time.monotonic() - self.last > 0.016

    def flush(self):
        if not self.parts:
            return
        text = "".join(self.parts)
        self.parts = []
        self.size = 0
        self.sent += self.lines
        self.lines = 0
        self.flushes += 1
        self.last = time.monotonic()
        if text and not text.isascii():
            text = text.encode("utf-8", "replace").decode()
        if text:
            emit(self.stream, outward(text))


def watch_held():
    """Has `flush_held` called soon: should the guest wait, what it has printed does not."""
    global is_watched
    is_watched = True
    watch_output()


def flush_held():
    global is_watched
    is_watched = False
    flush_output()


def outward(text):
    """A text on its way out: a long one as its bytes."""
    return text.encode() if len(text) > LONG_TEXT else text


# ---- values in


def decode(tree, buffers):
    """An object hook: called from the inside out, so what is nested has been decoded already."""

    def hook(node):
        tag = node.get("$")
        if tag is None:
            return node
        if tag == "set":
            return set(map(freeze, node["v"]))
        if tag == "dict" or tag == "map":
            return {freeze(key): value for key, value in node["v"]}
        if tag == "int":
            return int(node["v"], 16)
        if tag == "float":
            return float(node["v"])
        if tag == "date":
            return datetime.datetime.fromtimestamp(0, datetime.timezone.utc) + datetime.timedelta(milliseconds=node["v"])
        data = buffers[node["b"]].to_bytes()
        if tag == "text":
            return data.decode()
        if tag == "array":
            return array.array(node["t"], data)
        return data

    return loads(tree, object_hook=hook)


def freeze(key):
    """Lists cannot be keys; tuples can."""
    return tuple(map(freeze, key)) if type(key) is list else key


# ---- values out


class CannotCross(TypeError):
    """The value has no counterpart outside."""


CannotCross.__name__ = CannotCross.__qualname__ = "TypeError"


def encode(value, path, depth):
    kind = type(value)
    if value is None or kind is bool or kind is str:
        return value
    if depth < 0:
        raise CannotCross(f"{path}: nested too deep, or it contains itself")
    if isinstance(value, int):
        value = int(value)
        return value if -MAX_SAFE <= value <= MAX_SAFE else {"$": "int", "v": hex(value)}
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {"$": "float", "v": repr(float(value))}
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, (list, tuple, set, frozenset, range, collections.deque)):
        return encode_items(list(value), path, depth)
    if isinstance(value, (dict, types.MappingProxyType)):
        return encode_dict(dict(value), path, depth)
    return encode_special(value, path)


def encode_items(items, path, depth):
    kinds = set(map(type, items))
    if kinds <= {str, bool, type(None)}:
        return items
    if kinds == {int} and -MAX_SAFE <= min(items) and max(items) <= MAX_SAFE:
        return items
    if kinds == {float} and all(map(math.isfinite, items)):
        return items
    return [encode(item, f"{path}[{index}]", depth - 1) for index, item in enumerate(items)]


def encode_dict(items, path, depth):
    if set(map(type, items)) <= {str} and "$" not in items:
        return {key: encode(item, f"{path}[{key!r}]", depth - 1) for key, item in items.items()}
    return {
        "$": "dict",
        "v": [
            [encode(key, f"{path} key", depth - 1), encode(item, f"{path}[{key!r}]", depth - 1)]
            for key, item in items.items()
        ],
    }


class ResultTooLarge(Exception):
    """The value would be larger than it may be."""


def keep_bounded(data):
    if arguments is not None:
        return arguments.keep(data)
    bounds.left -= len(data)
    if bounds.left < 0:
        raise ResultTooLarge()
    return keep(data)


def encode_special(value, path):
    if isinstance(value, (bytes, bytearray)):
        return {"$": "bytes", "b": keep_bounded(value)}
    if isinstance(value, memoryview):
        return {"$": "bytes", "b": keep_bounded(value.tobytes())}
    if isinstance(value, array.array) and value.typecode in "bhHiIqQfdlLB":
        data = value.tobytes()
        if value.typecode == "B":
            return {"$": "bytes", "b": keep_bounded(data)}
        return {"$": "array", "t": {"l": "i", "L": "I"}.get(value.typecode, value.typecode), "b": keep_bounded(data)}
    if isinstance(value, datetime.datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=datetime.timezone.utc)
        return {"$": "date", "v": round(aware.timestamp() * 1000)}
    if isinstance(value, datetime.date):
        midnight = datetime.datetime(value.year, value.month, value.day, tzinfo=datetime.timezone.utc)
        return {"$": "date", "v": round(midnight.timestamp() * 1000)}
    raise CannotCross(f"{path}: a value of type {type(value).__name__} cannot leave the sandbox")


# ---- tools of the page


class ToolError(RuntimeError):
    """What a tool threw, or why it was not called; `code` says which."""

    def __init__(self, message, code="executor/tool-failed"):
        super().__init__(message)
        self.code = code


class Arguments:
    """The bytes of one call's arguments, counted."""

    def __init__(self, name):
        self.name = name
        self.left = argument_bytes

    def take(self, size):
        self.left -= size
        if self.left < 0:
            text = f"the arguments of {self.name!r} are larger than {argument_bytes} bytes"
            raise ToolError(text, "executor/tool-arguments-invalid")

    def keep(self, data):
        global has_held
        self.take(len(data))
        has_held = True
        return hold(data)


def write_arguments(name, values, named):
    global arguments, has_held
    arguments = Arguments(name)
    if has_held:
        release()
        has_held = False
    try:
        items = [encode(value, f"{name}() argument {index + 1}", depth_limit) for index, value in enumerate(values)]
        pairs = [[key, encode(value, f"{name}() argument {key!r}", depth_limit)] for key, value in named.items()]
        text = dumps([items, pairs])
        arguments.take(len(text))
        return outward(text)
    finally:
        arguments = None


def guest_line(frame):
    while frame and not is_guest(frame.f_code.co_filename):
        frame = frame.f_back
    return frame.f_lineno if frame else None


def read_answer(answer):
    global is_stopping
    if answer is None:
        is_stopping = True
        raise KeyboardInterrupt()
    content = decode(answer, ()) if type(answer) is str else decode(answer.text.to_bytes(), answer.buffers)
    if "code" in content:
        raise ToolError(content["message"], content["code"])
    return content["value"]


class Tool:
    """A function of the page. A plain call waits for its answer; `await` lets others run meanwhile, as does `.start(...)`."""

    def __init__(self, name):
        self.__name__ = self.__qualname__ = name

    def __repr__(self):
        return f"<tool {self.__name__}>"

    def __call__(self, *values, **named):
        flush_output()
        line = guest_line(sys._getframe(1))
        if can_block:
            text = write_arguments(self.__name__, values, named)
            return read_answer(call_tool(self.__name__, text, line))
        if not can_run_sync():
            text = f"{self.__name__!r} cannot be waited for here: use `await {self.__name__}(...)`"
            raise ToolError(text, wait_unavailable)
        text = write_arguments(self.__name__, values, named)
        return read_answer(run_sync(start_tool(self.__name__, text, line)))

    async def start(self, *values, **named):
        flush_output()
        line = guest_line(sys._getframe(1))
        text = write_arguments(self.__name__, values, named)
        return read_answer(await start_tool(self.__name__, text, line))


def awaitable(function):
    """What `await f(...)` calls: a tool is not waited for twice."""
    return function.start if type(function) is Tool else function


class AwaitTools(ast.NodeTransformer):
    """Turns `await name(...)` into one that does not hold the thread, where the name is a tool's."""

    def __init__(self, names):
        self.names = names

    def visit_Await(self, node):
        self.generic_visit(node)
        call = node.value
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in self.names:
            helper = ast.copy_location(ast.Name("__awaitable__", ast.Load()), call.func)
            call.func = ast.copy_location(ast.Call(helper, [call.func], []), call.func)
        return node


# ---- packages

# counts what was installed and removed: a session's packages are put aside when there is another number
package_changes = 0


def package_folder():
    return next(path for path in sys.path if path.endswith("site-packages"))


def write_packages(header, content):
    """Puts the files of packages where Python looks for them, in the place of what is there under their names."""
    global package_changes
    package_changes += 1
    folder = package_folder()
    names, files = loads(header)
    # without any there is nothing to remove, and what would look for it takes long to import
    if any(entry.endswith(".dist-info") for entry in os.listdir(folder)):
        for name in names:
            remove_package(name)
    offset = 0
    for path, size in files:
        target = os.path.join(folder, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "wb") as file:
            file.write(content[offset : offset + size])
        offset += size
    importlib.invalidate_caches()


def remove_package(name):
    """Deletes the files of a package; answers whether there was one."""
    global package_changes
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        found = distribution(name)
    except PackageNotFoundError:
        return False
    package_changes += 1
    folders = set()
    for file in list(found.files or []):
        path = os.path.normpath(found.locate_file(file))
        folders.add(os.path.dirname(path))
        try:
            os.remove(path)
        except OSError:
            pass
    for folder in sorted(folders, key=len, reverse=True):
        remove_empty(folder)
    importlib.invalidate_caches()
    return True


def remove_empty(folder):
    """With those above it that are empty then. One of metadata alone would count as a package without a name."""
    while folder.startswith(package_folder() + "/"):
        try:
            os.rmdir(folder)
        except OSError:
            return
        folder = os.path.dirname(folder)


def installed_packages():
    from importlib.metadata import distributions

    return {item.metadata["Name"]: item.version for item in distributions()}


async def install_packages(requirements, keep_going=False, deps=True, credentials=None, pre=False, **options):
    """Asks the page for packages, with what they need, and installs them. The page and its policy say what there is."""
    strange = [name for name, value in options.items() if value and name not in ("verbose", "reinstall")]
    if not deps or pre or strange:
        raise NotImplementedError("micropip: the page decides from where packages come, and what they need")
    wanted = [requirements] if isinstance(requirements, str) else [str(item) for item in requirements]
    flush_output()
    have = [] if options.get("reinstall") else [list(item) for item in installed_packages().items()]
    text = write_arguments("micropip.install", [wanted, have], {})
    answer = read_answer(await start_tool("micropip.install", text, guest_line(sys._getframe(1))))
    write_packages(answer["header"].decode(), answer["content"])


def uninstall_packages(packages, **options):
    for name in [packages] if isinstance(packages, str) else packages:
        if not remove_package(name):
            print(f"Skipping {name!r} as it is not installed.", file=sys.stderr)


def create_micropip():
    module = types.ModuleType("micropip", "Installs packages through the page, in the words of Pyodide's micropip.")
    module.install = install_packages
    module.uninstall = uninstall_packages
    module.list = installed_packages
    sys.modules["micropip"] = module


# ---- modules of the caller's


def parts_of(name):
    """Of `a.b`, `a/b.py` or `a/b/__init__.py`: where it lies; and whether it must be a package."""
    parts = name.removesuffix(".py").replace("/", ".").split(".")
    if not name.isascii():
        from unicodedata import normalize

        # as Python reads names
        parts = [normalize("NFKC", part) for part in parts]
    return (tuple(parts[:-1]), True) if parts[-1] == "__init__" else (tuple(parts), False)


def write_modules(imports):
    """Puts modules where `import` finds them. One that has others below it is a package."""
    sources = {}
    packages = set()
    for name, source in imports:
        parts, is_package = parts_of(name)
        if parts[0] in sys.builtin_module_names or is_frozen(parts[0]):
            raise ImportError(f"the module {parts[0]!r} is part of the interpreter and cannot be another")
        sources[parts] = source
        packages.update(parts[:depth] for depth in range(1, len(parts)))
        if is_package:
            packages.add(parts)
    for parts in packages:
        make_package(parts)
    for parts, source in sources.items():
        path = os.path.join(DIRECTORY, *parts)
        inside = os.path.join(path, "__init__.py")
        if write_source(inside if os.path.exists(inside) else f"{path}.py", source):
            forget_module(parts)
    for path, finder in sys.path_importer_cache.items():
        if path.startswith(DIRECTORY) and finder:
            finder.invalidate_caches()


def make_package(parts):
    folder = os.path.join(DIRECTORY, *parts)
    inside = os.path.join(folder, "__init__.py")
    if os.path.exists(inside):
        return
    os.makedirs(folder, exist_ok=True)
    if os.path.exists(f"{folder}.py"):
        os.replace(f"{folder}.py", inside)
    else:
        write_source(inside, "")
    forget_module(parts)


def write_source(path, source):
    """Answers whether anything had to be written: a module that stays the same keeps what it has."""
    content = source.encode()
    try:
        with open(path, "rb") as file:
            if file.read() == content:
                return False
    except OSError:
        pass
    with open(path, "wb") as file:
        file.write(content)
    return True


def forget_module(parts):
    name = ".".join(parts)
    for known in list(sys.modules):
        if known == name or known.startswith(f"{name}."):
            del sys.modules[known]


# ---- rich values

DISPLAY_METHODS = {
    "_repr_html_": "text/html",
    "_repr_markdown_": "text/markdown",
    "_repr_svg_": "image/svg+xml",
    "_repr_png_": "image/png",
    "_repr_jpeg_": "image/jpeg",
    "_repr_json_": "application/json",
}


def method_of(value, name):
    # asked of the class: an instance that answers every name (a mock) has none of these
    return getattr(value, name) if callable(getattr(type(value), name, None)) else None


def call_for_form(method, name):
    if name != "_repr_mimebundle_":
        return method()
    from inspect import signature

    try:
        signature(method).bind(include=None, exclude=None)
    except (TypeError, ValueError):
        return method()
    return method(include=None, exclude=None)


def form_of(value, name):
    """What one method offers. One that fails offers nothing, and says so: there may be other forms."""
    method = method_of(value, name)
    if method is None:
        return None
    try:
        content = call_for_form(method, name)
    except (MemoryError, NotImplementedError) as error:
        if isinstance(error, MemoryError):
            raise
        return None
    except Exception as error:
        print(f"{name} of {type(value).__name__}: {type(error).__name__}: {describe(error)}", file=sys.stderr)
        return None
    # the second part is metadata
    return content[0] if isinstance(content, tuple) and content else content


def bundle_of(value):
    """The forms that a value offers, as notebooks know them."""
    bundle = form_of(value, "_repr_mimebundle_")
    bundle = dict(bundle) if isinstance(bundle, (dict, types.MappingProxyType)) else {}
    for name, kind in DISPLAY_METHODS.items():
        content = None if kind in bundle else form_of(value, name)
        if content is not None:
            bundle[kind] = content
    if not bundle and is_figure(value):
        picture = io.BytesIO()
        value.savefig(picture, format="png", bbox_inches="tight")
        bundle["image/png"] = picture.getvalue()
    return bundle


RICH = ["_repr_mimebundle_", *DISPLAY_METHODS]


def is_figure(value):
    """Figures of matplotlib have no forms of their own: notebooks know them by their class."""
    return any(item.__name__ == "Figure" and item.__module__ == "matplotlib.figure" for item in type(value).__mro__)


def is_rich(value):
    if value is None or type(value) in (bool, int, float, str):
        return False
    return any(callable(getattr(type(value), name, None)) for name in RICH) or is_figure(value)


def show_figures():
    """Shows the figures that are open, and closes them, as notebooks do when a cell ends and when it calls `show`."""
    plots = sys.modules.get("matplotlib.pyplot")
    numbers = plots.get_fignums() if plots else []
    figures = [plots.figure(number) for number in numbers]
    for figure in figures:
        display(figure)
    if figures:
        plots.close("all")
    return figures


class FigureBackend:
    """What matplotlib draws with here: pictures in memory. A module that is made when matplotlib asks for it."""

    name = "vivarium_figures"

    def find_spec(self, name, path=None, target=None):
        from importlib.machinery import ModuleSpec

        return ModuleSpec(name, self) if name == self.name else None

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        def show(*args, **options):
            show_figures()

        module.FigureCanvas = FigureCanvasAgg
        module.show = show


def create_backend():
    sys.meta_path.append(FigureBackend())
    os.environ.setdefault("MPLBACKEND", f"module://{FigureBackend.name}")


def final_value(value, figures):
    """
    A last value that has richer forms than text is shown; where it cannot leave itself, its text does. So it is with any value of a run that has shown
    something: that is what it was for, and `plt.plot(...)` in its last line answers what nobody asked for.
    """
    rich = is_rich(value)
    if rich and not any(value is figure for figure in figures):
        display(value)
    try:
        return encode(value, "the value", depth_limit)
    except CannotCross:
        if not rich and not has_displayed:
            raise
        return repr(value)


def write_form(content):
    if isinstance(content, (bytes, bytearray)):
        return base64.b64encode(content).decode()
    return str.__str__(content) if isinstance(content, str) else JSONEncoder().encode(content)


def show_bundle(bundle):
    global has_displayed
    flush_output()
    has_displayed = True
    text = dumps({str(kind): write_form(content) for kind, content in bundle.items()})
    if len(text) > display_bytes:
        exceed("displayBytes")
        raise OutputExceeded()
    show(text)


# so many rows of a table are shown; the others are counted
TABLE_ROWS = 1000


def is_table(value):
    """A list of plain records."""
    if type(value) is not list or not value:
        return False
    return all(type(row) is dict and set(map(type, row)) <= {str} for row in value)


def cell_of(value):
    kind = type(value)
    if value is None or kind is str or kind is bool:
        return value
    if (kind is int and -MAX_SAFE <= value <= MAX_SAFE) or (kind is float and math.isfinite(value)):
        return value
    return value.isoformat() if isinstance(value, datetime.date) else repr(value)


def show_rows(rows):
    global has_displayed
    flush_output()
    has_displayed = True
    cells = [[[name, cell_of(cell)] for name, cell in row.items()] for row in rows[:TABLE_ROWS]]
    text, plain = dumps(cells), repr(rows)
    if len(text) + len(plain) > display_bytes:
        exceed("displayBytes")
        raise OutputExceeded()
    show_table(text, plain, len(rows))


def display(*values, raw=False):
    """Shows values in their richest form; with `raw`, each is a MIME bundle already: a `dict` of types and contents."""
    for value in values:
        if not raw and is_table(value):
            show_rows(value)
            continue
        bundle = dict(value) if raw else bundle_of(value)
        if not raw and "text/plain" not in bundle:
            bundle["text/plain"] = repr(value)
        show_bundle(bundle)


def flush_output():
    """What was printed before is seen before."""
    for printer in printers:
        printer.flush()


# ---- what went wrong


def shorten(text, limit):
    return text if len(text) <= limit else f"{text[: limit // 2]}\n… shortened …\n{text[-limit // 2 :]}"


def describe(error):
    try:
        message = str(error)
    except BaseException as failure:
        if isinstance(failure, (KeyboardInterrupt, MemoryError)):
            raise
        message = "<its message cannot be shown>"
    return shorten(message, MESSAGE_LIMIT)


def is_guest(filename):
    return filename.startswith("<run-")


def trim(trace):
    """Drops our own frames, which stand above the guest's first one."""
    while trace and not is_guest(trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    return trace


def file_of(filename):
    """The path of a file of the guest's below its folder, or nothing."""
    inside = isinstance(filename, str) and filename.startswith(DIRECTORY + "/")
    return shorten(filename[len(DIRECTORY) + 1 :], FILE_LIMIT) if inside else None


def place_of(error):
    """The file, and the line in it, where the guest's own code stands highest; no file for the code of a run."""
    file = file_of(error.filename) if isinstance(error, SyntaxError) else None
    if file:
        line = error.lineno
        return file, line if type(line) is int and 0 < line < 2**31 else None
    line = None
    trace = error.__traceback__
    while trace:
        filename = trace.tb_frame.f_code.co_filename
        if is_guest(filename) or file_of(filename):
            file, line = file_of(filename), trace.tb_lineno
        trace = trace.tb_next
    return file, line


def threw(error):
    name = str(type(error).__name__)
    trace = trim(error.__traceback__)
    file, line = place_of(error)
    try:
        text = "".join(traceback.TracebackException(type(error), error, trace, compact=True).format())
    except (KeyboardInterrupt, MemoryError):
        raise
    except BaseException:
        text = f"{name}\n"
    message = describe(error)
    if isinstance(error, CannotCross):
        text = f"TypeError: {message}\n"
    detail = {
        "type": shorten(name, 256),
        "message": message,
        "traceback": shorten(text, TRACEBACK_LIMIT),
        "line": line,
        "file": file,
    }
    return {"type": "threw", "error": detail}


def is_out_of_memory(error):
    """Python's own has nothing to say, NumPy's says what it wanted; another is the guest's."""
    return isinstance(error, MemoryError) and (not error.args or str(type(error).__module__).partition(".")[0] == "numpy")


def result_of(error):
    """The result for whatever ended the run."""
    if isinstance(error, OutputExceeded):
        return {"type": "exceeded", "limit": "output"}
    if is_out_of_memory(error):
        return {"type": "exceeded", "limit": "memory"}
    if isinstance(error, ResultTooLarge):
        return {"type": "exceeded", "limit": "result"}
    # a run that was asked to stop has not submitted
    return (None if isinstance(error, KeyboardInterrupt) else submitted()) or threw(error)


def submitted():
    """The result of a run that has submitted something, once: a value that cannot leave is an error of its own."""
    global submission
    if submission is None:
        return None
    items, submission = submission.value.items(), None
    # one that has not arrived yet, as task groups ask for, would stand in the place of the answer
    while main_task is not None and main_task.cancelling():
        main_task.uncancel()
    value = {str(key): item for key, item in items}
    return {"type": "submitted", "value": encode_record(value, "submitted value")}


def encode_record(items, path):
    return [[key, encode(item, f"{path} {key!r}", depth_limit)] for key, item in items.items()]


def syntax_error(error):
    if isinstance(error, SyntaxError):
        return {
            "type": "syntax-error",
            "message": shorten(str(error.msg), MESSAGE_LIMIT),
            "line": error.lineno or None,
            "column": error.offset or None,
        }
    if isinstance(error, UnicodeEncodeError):
        line = error.object[: error.start].count("\n") + 1
        column = error.start - (error.object.rfind("\n", 0, error.start) + 1) + 1
        message = "the code has half of a surrogate pair, which is not a character"
        return {"type": "syntax-error", "message": message, "line": line, "column": column}
    message = f"the code is nested too deep to compile ({type(error).__name__})"
    # the parser has this one for its own stack, too
    if isinstance(error, MemoryError):
        message = "the code takes more memory to compile than there is, or is nested too deep (MemoryError)"
    return {"type": "syntax-error", "message": message, "line": None, "column": None}


# ---- stopping


def on_interrupt(number, frame):
    """Raises in the run's code only. In the event loop's own it would be lost, and the run would wait for ever."""
    global is_stopping
    while frame:
        if is_guest(frame.f_code.co_filename) or frame.f_code.co_filename == "checkpoint.py":
            raise KeyboardInterrupt()
        if frame.f_code in run_codes:
            # what writes down how the run ended is not ended itself
            if is_stopping:
                return
            if not is_running:
                break
            is_stopping = True
            raise KeyboardInterrupt()
        frame = frame.f_back
    interrupt_again()


def stop_run():
    """The run must end, and does not run just now: it waits for something."""
    global is_stopping
    is_stopping = True
    last = next((future for future in reversed(waited) if not future.done()), None)
    if last is not None:
        last.cancel()
    elif main_task is not None and not waited:
        main_task.cancel()


def left_over():
    return [task for task in asyncio.all_tasks(loop) if task is not main_task]


async def end_tasks():
    """What a run began and did not wait for ends with it, as with `asyncio.run`; but it has no longer than 100 ms."""
    tasks = left_over()
    for task in tasks:
        task.cancel()
    try:
        if tasks and not is_stopping:
            await asyncio.wait(tasks, timeout=LEFT_OVER_SECONDS)
    finally:
        abandon_tasks()


def abandon_tasks():
    """Those that would not end count as cancelled; what was to wake them is dropped."""
    tasks = left_over()
    for task in tasks:
        abandon(task)
    if tasks:
        drop_callbacks()


def abandon(task):
    asyncio.Future.cancel(task)
    try:
        task.get_coro().close()
    except BaseException:
        pass


# ---- waiting


def wait_for(awaitable):
    """Waits with the stack put aside; what `asyncio.run`, `run_until_complete` and `run_sync` do here."""
    if not can_run_sync():
        if asyncio.iscoroutine(awaitable):
            awaitable.close()
        text = "asyncio.run(), run_until_complete() and run_sync() cannot wait here"
        raise RuntimeError(f"{text}: write `await main()` at the top level of the code instead of `asyncio.run(main())`")
    if is_stopping:
        raise KeyboardInterrupt()
    flush_output()
    future = asyncio.ensure_future(awaitable)
    # one that fails would be printed when a stack waits for it
    end = future.get_loop().create_future()
    future.add_done_callback(lambda _: end.done() or end.set_result(None))
    waited.append(future)
    try:
        run_sync(end)
    finally:
        waited.remove(future)
    if is_stopping:
        raise KeyboardInterrupt()
    return future.result()


plain_sleep = getattr(time.sleep, "__wrapped__", time.sleep)


@wraps(plain_sleep)
def sleep(seconds, /):
    if not isinstance(seconds, float) and hasattr(type(seconds), "__index__"):
        seconds = index(seconds)
    # what is no length of time is refused there
    if not isinstance(seconds, (int, float)) or not NAP_SECONDS < seconds < LONGEST_SLEEP:
        return plain_sleep(seconds)
    flush_output()
    if nap is None and can_run_sync():
        return wait_for(asyncio.sleep(seconds))
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if nap is None:
            plain_sleep(min(left, NAP_SECONDS))
        else:
            nap(left * 1000)
        # looks for signals, as Python's own does when it is woken
        repr(None)


def may_wait(request):
    """Whether the run, or an earlier one, says so. To enter it with a stack that can be put aside takes a turn of the worker."""
    global has_waiting
    if not has_waiting and can_switch:
        has_waiting = package_changes > 0 or any(name in request for name in WAITING)
    return has_waiting


# ---- running


def column_of(node, code):
    """In characters, as in syntax errors; the tree counts bytes."""
    line = io.StringIO(code, newline="").readlines()[node.lineno - 1]
    return len(line.encode()[: node.col_offset].decode("utf-8", "ignore")) + 1


def imported_names(node):
    """What an import may bring: a module, a part of one, or something that a module has."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
        return [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return []


def imported_modules(tree):
    """Names that stand for modules, here or from an earlier run."""
    known = {name: value.__name__ for name, value in main.__dict__.items() if type(value) is types.ModuleType}
    for node in ast.walk(tree):
        for alias in node.names if isinstance(node, ast.Import) else ():
            top = alias.name.partition(".")[0]
            known[alias.asname or top] = alias.name if alias.asname else top
    return known


def full_name(node, known):
    """Of `os.system`, where `os` is a module."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    module = known.get(node.id) if isinstance(node, ast.Name) else None
    return ".".join([module, *reversed(parts)]) if type(module) is str else None


def has_denials(rules):
    return bool(rules["deniedModules"] or rules["deniedGlobals"] or rules["deniedTools"])


def find_denied(tree, rules):
    """The first thing that the policy denies: its permission, its name and its place; or None."""
    if not has_denials(rules):
        return None
    modules = rules["deniedModules"]
    names_denied = set(rules["deniedGlobals"])
    tools_denied = set(rules["deniedTools"])
    known = imported_modules(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            if node.id in names_denied:
                return "global", node.id, node
            if node.id in tools_denied:
                return "tool", node.id, node
        for name in imported_names(node):
            if any(name == module or name.startswith(module + ".") for module in modules):
                return "module", name, node
        name = full_name(node, known) if isinstance(node, ast.Attribute) else None
        if name in modules:
            return "module", name, node
    return None


def denied(tree, rules, code):
    found = find_denied(tree, rules)
    if not found:
        return None
    permission, name, node = found
    place = {"line": node.lineno, "column": column_of(node, code)}
    return {"type": "denied", "permission": permission, "name": name, **place}


def denied_import(rules):
    """As `denied`, for the modules that come with a run, each by the name that it came under. Tools are names of the run's own code."""
    rules = {**rules, "deniedTools": []}
    for name, code in rules["imports"]:
        if not names_denied(code, rules):
            continue
        try:
            found = denied(ast.parse(code), rules, code)
        except (SyntaxError, ValueError, OverflowError, RecursionError, MemoryError):
            # whoever imports it is told
            continue
        if found:
            return {**found, "file": name}
    return None


def names_denied(code, rules):
    """Whether the text has a name that the policy denies, whatever it stands for there. Modules are imported by statements."""
    lists = rules["deniedModules"], rules["deniedGlobals"], rules["deniedTools"]
    return any(name.rpartition(".")[2] in code for names in lists for name in names)


def compile_alone(code, filename, rules):
    """The code of a single expression in one line, as most of what is typed; None for any other. A tree that Python sees takes ten times as long."""
    is_line = len(code) < ALONE_LIMIT and code.isascii() and code.isprintable() and code[:1] != " "
    # what is compiled twice warns twice, of escapes that are none
    if not is_line or "\\" in code or names_denied(code, rules) or (rules["tools"] and "await" in code):
        return None
    try:
        return compile(code, filename, "eval", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except SyntaxError:
        return None


def compile_parts(code, filename, rules):
    """The statements and the last expression apart, so that its value can be had. Answers a result when it may not run."""
    try:
        if "\0" in code:
            before = code[: code.index("\0")]
            column = len(before) - (before.rfind("\n") + 1) + 1
            position = (filename, before.count("\n") + 1, column, None)
            raise SyntaxError("source code cannot contain null bytes", position)
        alone = compile_alone(code, filename, rules)
        if alone:
            return None, alone, None
        tree = ast.parse(code, filename)
        found = denied(tree, rules, code)
        if found:
            return None, None, found
        if rules["tools"]:
            tree = ast.fix_missing_locations(AwaitTools(set(rules["tools"])).visit(tree))
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        last = None
        if tree.body and isinstance(tree.body[-1], ast.Expr):
            last = compile(ast.Expression(tree.body.pop().value), filename, "eval", flags, dont_inherit=True)
        body = compile(tree, filename, "exec", flags, dont_inherit=True)
        return body, last, None
    except (SyntaxError, ValueError, OverflowError, RecursionError, MemoryError) as error:
        return None, None, syntax_error(error)


def begin(request, buffers):
    global argument_bytes, display_bytes, submission, has_displayed, is_watched
    argument_bytes = request["toolArgumentBytes"]
    display_bytes = request["displayBytes"]
    budget.left = request["outputBytes"]
    bounds.left = request["resultBytes"]
    submission = None
    has_displayed = is_watched = False
    for printer in printers:
        Printer.begin(printer)
    sys.stdout, sys.stderr = printers
    sys.stdin = io.StringIO()
    main.__dict__.setdefault("__builtins__", __builtins__)
    for name, value in list(main.__dict__.items()):
        if type(value) is Tool:
            del main.__dict__[name]
    main.__dict__["SUBMIT"] = submit_with(request["submitFields"])
    main.__dict__.setdefault("display", display)
    main.__dict__.setdefault("__awaitable__", awaitable)
    main.__dict__.update({name: Tool(name) for name in request["tools"]})
    os.environ.update(request["environment"])
    main.__dict__.update(request["variables"])
    packages = request["packages"]
    if packages is not None:
        write_packages(buffers[packages].to_bytes().decode(), buffers[packages + 1].to_bytes())
    for path, content in request["files"]:
        path = os.path.join(DIRECTORY, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
    if request["workingDirectory"] is not None:
        path = os.path.join(DIRECTORY, request["workingDirectory"])
        os.makedirs(path, exist_ok=True)
        os.chdir(path)


def finish(value, outputs):
    result = submitted()
    if result:
        return result
    missing = [name for name in outputs if name not in main.__dict__]
    if missing:
        raise NameError(f"name {missing[0]!r} is not defined, but was to be brought back")
    return {
        "type": "returned",
        "value": final_value(value, show_figures()),
        "variables": encode_record({name: main.__dict__[name] for name in outputs}, "variable"),
    }


def settle(result):
    """Prints what is left and writes the result down."""
    try:
        flush_output()
    except OutputExceeded:
        result = {"type": "exceeded", "limit": "output"}
    text = dumps(result)
    if result["type"] in ("returned", "submitted") and len(text) > bounds.left:
        raise ResultTooLarge()
    return outward(text)


def conclude(error):
    """Describing what went wrong runs guest code too (`__str__`, `__iter__`), which can go wrong again."""
    for _ in range(3):
        try:
            return settle(result_of(error))
        except BaseException as failure:
            error = failure
    detail = {"type": "RuntimeError", "message": "the error cannot be shown", "traceback": "", "line": None}
    return settle({"type": "threw", "error": detail})


def start(text, buffers):
    """Runs one request. Answers the result as text or its bytes, or an awaitable of it when the code awaits at its top level."""
    global runs, depth_limit, main_task, is_stopping, is_running
    runs += 1
    main_task = None
    is_stopping = False
    filename = f"<run-{runs}>"
    try:
        # from here on an interrupt is caught
        is_running = True
        text = text.to_bytes()
        request = decode(text, buffers)
        depth_limit = request["valueDepth"]
        begin(request, buffers)
        if request["imports"]:
            refusal = denied_import(request)
            if refusal:
                return settle(refusal)
            write_modules(request["imports"])
        code = request["code"]
        body, last, refusal = compile_parts(code, filename, request)
        if refusal:
            return settle(refusal)
        linecache.cache[filename] = (len(code), None, code.splitlines(keepends=True), filename)
        if may_wait(text) or any(part.co_flags & CO_COROUTINE for part in (body, last) if part):
            return run_async(body, last, request["outputs"])
        if body:
            exec(body, main.__dict__)
        value = eval(last, main.__dict__) if last else None
        if asyncio.all_tasks(loop):
            return run_async(None, None, request["outputs"], value)
        return settle(finish(value, request["outputs"]))
    except BaseException as error:
        is_stopping = True
        abandon_tasks()
        return conclude(error)
    finally:
        is_running = False


async def run_async(body, last, outputs, value=None):
    """The rest of a run that awaits, or that has left something to end."""
    global main_task, is_stopping, is_running
    try:
        is_running = True
        main_task = asyncio.current_task(loop)
        try:
            if is_stopping:
                raise KeyboardInterrupt()
            if body:
                pending = eval(body, main.__dict__)
                if body.co_flags & CO_COROUTINE:
                    await pending
            if last:
                value = eval(last, main.__dict__)
                if last.co_flags & CO_COROUTINE:
                    value = await value
        finally:
            await end_tasks()
        return settle(finish(value, outputs))
    except BaseException as error:
        is_stopping = True
        return conclude(error)
    finally:
        is_running = False
        main_task = None


budget = Budget()
bounds = Budget()
printers = [Printer(0, budget), Printer(1, budget)]
# what this run has submitted, whether it has shown something, and whether somebody will ask for what is held
submission = None
has_displayed = False
is_watched = False
depth_limit = 0
argument_bytes = 0
display_bytes = 0
arguments = None
has_held = False
main_task = None
is_stopping = False
is_running = False
has_waiting = False
# what stacks that are put aside wait for
waited = []
run_codes = (start.__code__, run_async.__code__)
loop = asyncio.get_event_loop()
# a new one would have tasks that do not end with their run
asyncio.events._get_event_loop_policy().new_event_loop = lambda: loop
# an interrupt of a task that leaves it otherwise is printed where stacks can be put aside
loop._keyboard_interrupt_handler = stop_run
webloop.scheduleCallback = schedule
webloop.run_sync = ffi.run_sync = wait_for
time.sleep = sleep
signal.signal(signal.SIGINT, on_interrupt)
say_nothing_of_submissions()
create_micropip()
create_backend()
os.makedirs(DIRECTORY, exist_ok=True)
os.chdir(DIRECTORY)
sys.path.insert(0, DIRECTORY)
