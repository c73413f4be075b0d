"""Puts a session's variables and files aside, and brings them back in another interpreter.

Executed in the harness's namespace when a session first needs it. Variables go by value, one pickle for each name with one memo for
all of them, so that what they share stays shared. What the pickle module takes by name goes by value, too, where the name is one of
the session's own: functions with their cells, classes with their methods. It is the guest's interpreter that does all this, and that
reads it back: nothing outside does.
"""

import abc
import collections
import functools
import gc
import importlib
import marshal
import stat

# not by way of `pickle`, `enum` and `typing`, which take long to import where no guest has done so
from _pickle import Pickler, Unpickler
from _typing import TypeVar

# deeper values would end the interpreter: its stack is the worker's
DEPTH = 200
# what costs less is put aside after every run
CHEAP_SECONDS = 0.004
CHUNK = 65_536
# what takes longer than this where it has CHEAP_SECONDS does not look at the time
SLOW_SECONDS = 0.04
# what goes wrong again and again is tried after ever more runs: at last after so many
MOST_WAITING = 16
NAMES = 10_000
# whether more than this is still the same is not looked at after every run
SAME_FILES = 100
SAME_BYTES = 65_536
TEXT_LIMIT = 200
ROOTS = [DIRECTORY, "/tmp"]
HEAP_TYPE = 1 << 9

ATOMS = frozenset([int, float, complex, bool, str, bytes, type(None), type(...), range])
SIZED = frozenset([list, dict, set, bytearray, collections.deque])
OURS = {"__builtins__", "__name__", "__doc__", "__package__", "__loader__", "__spec__"}
OURS |= {"__awaitable__", "__warningregistry__"}


# top-level modules of packages that are not put aside
lost_roots = set()


class Unfit(Exception):
    """Says why a value cannot be put aside."""


class TooLarge(Exception):
    """All of it has more bytes than are allowed."""


class TooLate(BaseException):
    """It takes longer than is allowed."""


# ---- how deep


def children_of(item):
    """What a pickler would go into, or None."""
    kind = type(item)
    if kind in ATOMS:
        return None
    if kind is dict:
        flat = set(map(type, item.values())) <= ATOMS and set(map(type, item)) <= ATOMS
        return None if flat else [part for pair in item.items() for part in pair]
    if kind in (list, tuple, set, frozenset):
        return None if set(map(type, item)) <= ATOMS else item
    if kind is types.FunctionType:
        return [item.__closure__, item.__defaults__, item.__kwdefaults__]
    if issubclass(kind, type) or kind is types.ModuleType:
        return None
    return gc.get_referents(item)


class Depths:
    """Goes through values in the order of a pickler, without its recursion."""

    def __init__(self, end):
        self.end = end
        self.seen = set()
        self.steps = 0

    def check(self, value):
        pending = [iter((value,))]
        while pending:
            for item in pending[-1]:
                children = None if id(item) in self.seen else children_of(item)
                if children is None:
                    continue
                self.seen.add(id(item))
                self.steps += 1
                if len(pending) > DEPTH:
                    raise Unfit(f"it is nested more than {DEPTH} levels deep")
                if self.steps % 256 == 0 and time.monotonic() > self.end:
                    raise TooLate()
                pending.append(iter(children))
                break
            else:
                pending.pop()


# ---- by value what has a name of the session alone


def refuse_lost(module):
    root = str(module).partition(".")[0]
    if root in lost_roots:
        raise Unfit(f"it needs the package of {root}, which is not put aside")


def is_importable(item):
    module = getattr(item, "__module__", None)
    refuse_lost(module)
    found = None if module == "__main__" else sys.modules.get(module)
    for part in getattr(item, "__qualname__", "").split("."):
        found = getattr(found, part, None)
    return found is item


def set_attributes(item, attributes):
    for name, value in attributes.items():
        setattr(item, name, value)


FUNCTION_PARTS = ["__defaults__", "__kwdefaults__", "__doc__", "__module__", "__qualname__", "__type_params__"]


def annotations_of(item):
    """Evaluated: what computes them later would need the text of the class around it."""
    try:
        annotations = item.__annotations__
    except Exception:
        return {}
    return {"__annotations__": dict(annotations)} if annotations else {}


def reduce_function(item):
    if is_importable(item):
        return NotImplemented
    home = "__main__" if item.__globals__ is main.__dict__ else item.__globals__.get("__name__")
    if getattr(sys.modules.get(home), "__dict__", None) is not item.__globals__:
        raise Unfit(f"the function {item.__qualname__} has globals of its own")
    state = {name: getattr(item, name) for name in FUNCTION_PARTS} | annotations_of(item) | item.__dict__
    given = (marshal.dumps(item.__code__), home, item.__name__, item.__closure__)
    return make_function, given, state, None, None, set_attributes


def make_function(code, home, name, closure):
    return types.FunctionType(marshal.loads(code), importlib.import_module(home).__dict__, name, None, closure)


def reduce_cell(item):
    try:
        content = (item.cell_contents,)
    except ValueError:
        content = ()
    return make_cell, (), content, None, None, fill_cell


def make_cell():
    return types.CellType()


def fill_cell(item, content):
    for value in content:
        item.cell_contents = value


def is_own(value):
    """Of the class's own text, not put there by what made the class."""
    function = getattr(value, "fget", None) or getattr(value, "__func__", value)
    return getattr(function, "__globals__", None) is main.__dict__


# made anew with the class
MADE = {"__dict__", "__weakref__", "__slots__", "__module__", "__qualname__", "__abstractmethods__", "_abc_impl"}
MADE |= {"__annotations_cache__", "__annotate_func__", "__classdictcell__", "__conditional_annotations__"}


def enum_type():
    return getattr(sys.modules.get("enum"), "EnumType", Unfit)


def reduce_class(item):
    if is_importable(item) or not item.__flags__ & HEAP_TYPE:
        return NotImplemented
    place = (item.__module__, item.__qualname__)
    own = {name: value for name, value in item.__dict__.items() if is_own(value)}
    if issubclass(type(item), enum_type()):
        members = {name: member._value_ for name, member in item.__members__.items()}
        return make_enum, (type(item), item.__name__, item.__bases__, members, place), own, None, None, set_class
    if item.__bases__ == (tuple,) and hasattr(item, "_field_defaults"):
        fields = (item._fields, tuple(item._field_defaults.values()))
        return make_named_tuple, (item.__name__, *fields, place), own, None, None, set_class
    slots = item.__dict__.get("__slots__")
    made = (types.MemberDescriptorType, types.GetSetDescriptorType)
    state = {
        name: value for name, value in item.__dict__.items() if name not in MADE and not isinstance(value, made)
    } | annotations_of(item)
    given = (type(item), item.__name__, item.__bases__, slots, item.__dict__.get("__orig_bases__"), place)
    return make_class, given, state, None, None, set_class


def make_class(meta, name, bases, *rest):
    slots, written_bases, (module, qualified_name) = rest
    namespace = {"__module__": module, "__qualname__": qualified_name}
    if slots is not None:
        namespace["__slots__"] = slots
    if written_bases is not None:
        namespace["__orig_bases__"] = written_bases
    maker = abc.ABCMeta if issubclass(meta, abc.ABCMeta) else type
    return maker.__new__(meta, name, bases, namespace)


def make_enum(meta, name, bases, members, place):
    namespace = meta.__prepare__(name, bases)
    namespace["__module__"], namespace["__qualname__"] = place
    for member, value in members.items():
        namespace[member] = value
    return meta.__new__(meta, name, bases, namespace)


def make_named_tuple(name, fields, defaults, place):
    item = collections.namedtuple(name, fields, defaults=defaults, module=place[0])
    item.__qualname__ = place[1]
    return item


def set_class(item, attributes):
    for name, value in attributes.items():
        type.__setattr__(item, name, value)
    if isinstance(item, abc.ABCMeta):
        abc.update_abstractmethods(item)


def reduce_module(item):
    refuse_lost(item.__name__)
    if sys.modules.get(item.__name__) is not item:
        raise Unfit(f"the module {item.__name__} cannot be imported")
    return importlib.import_module, (item.__name__,)


def reduce_builtin(item):
    refuse_lost(item.__module__)
    return NotImplemented


def make_view(content):
    return types.MappingProxyType(content)


def reduce_cached(item):
    return make_cached, (item.__wrapped__, item.cache_parameters())


def make_cached(function, parameters):
    return functools.lru_cache(**parameters)(function)


def reduce_variable(item):
    bound = {"bound": item.__bound__} if item.__bound__ else {}
    variance = {"covariant": item.__covariant__, "contravariant": item.__contravariant__}
    if item.__infer_variance__:
        variance = {"infer_variance": True}
    return make_variable, (item.__name__, item.__constraints__, bound | variance, item.__module__)


def make_variable(name, constraints, options, module):
    item = TypeVar(name, *constraints, **options)
    item.__module__ = module
    return item


def reduce_sentinel(item):
    """What the dataclasses module compares by identity."""
    return next((name for name, value in vars(sys.modules["dataclasses"]).items() if value is item), NotImplemented)


REDUCERS = {
    types.FunctionType: reduce_function,
    types.CellType: reduce_cell,
    types.ModuleType: reduce_module,
    types.BuiltinFunctionType: reduce_builtin,
    types.CodeType: lambda item: (marshal.loads, (marshal.dumps(item),)),
    types.MappingProxyType: lambda item: (make_view, (dict(item),)),
    property: lambda item: (property, (item.fget, item.fset, item.fdel, item.__doc__)),
    classmethod: lambda item: (classmethod, (item.__func__,)),
    staticmethod: lambda item: (staticmethod, (item.__func__,)),
    TypeVar: reduce_variable,
    type(functools.lru_cache(len)): reduce_cached,
}
SENTINELS = ["_MISSING_TYPE", "_KW_ONLY_TYPE", "_FIELD_BASE", "_HAS_DEFAULT_FACTORY_CLASS"]

# a pickle names functions by their module
makers = types.ModuleType("_checkpoint")
for maker in (
    make_function,
    make_cell,
    make_view,
    make_class,
    make_enum,
    make_named_tuple,
    make_cached,
    make_variable,
    fill_cell,
    set_attributes,
    set_class,
):
    maker.__module__ = makers.__name__
    setattr(makers, maker.__name__, maker)
sys.modules[makers.__name__] = makers


class Saver(Pickler):
    def reducer_override(self, item):
        kind = type(item)
        if issubclass(kind, type):
            return reduce_class(item)
        reduce = REDUCERS.get(kind)
        if reduce:
            return reduce(item)
        return reduce_sentinel(item) if kind.__module__ == "dataclasses" and kind.__name__ in SENTINELS else NotImplemented


# ---- out


class Sink:
    """Takes what a pickler writes, within bounds."""

    def __init__(self, limit, end, part):
        self.limit = limit
        self.end = end
        self.part = part
        self.size = 0
        self.parts = []
        self.pending = 0

    def write(self, data):
        self.size += len(data)
        if self.size > self.limit:
            raise TooLarge()
        if time.monotonic() > self.end:
            raise TooLate()
        if self.part is not None:
            self.parts.append(data)
            self.pending += len(data)
            if self.pending >= CHUNK:
                self.flush()
        return len(data)

    def flush(self):
        if self.parts:
            put_aside(self.part, b"".join(self.parts) if len(self.parts) > 1 else self.parts[0])
        self.parts = []
        self.pending = 0


def too_large(limit):
    return f"with it, more than {limit} bytes would have to be put aside"


def reason_of(error, limit):
    if isinstance(error, TooLarge):
        return too_large(limit)
    text = str(error) if isinstance(error, Unfit) else f"{type(error).__name__}: {describe(error)}"
    return text[:TEXT_LIMIT]


def is_ours(name, value):
    if name in OURS or type(value) is Tool:
        return True
    return (name == "SUBMIT" and value is SUBMIT) or (name == "display" and value is display)


def guest_variables():
    return {name: value for name, value in main.__dict__.items() if type(name) is str and not is_ours(name, value)}


class Waiting:
    """Counts runs until what did not go well is tried again: more of them each time."""

    def __init__(self):
        self.count = 1
        self.due = runs + 1

    def lengthen(self):
        self.count = min(2 * self.count, MOST_WAITING)
        self.due = runs + self.count


class Unfitness:
    """Why a value could not be put aside. What kept it from that may be gone the next time."""

    def __init__(self, value, reason):
        self.mark = mark_of(value)
        self.reason = reason
        self.waiting = Waiting()
        self.needs_idleness = False


def mark_of(value):
    """Another one says that the value has changed; the same one says little."""
    return id(value), len(value) if type(value) in SIZED else 0


def try_alone(value, limit, end):
    """Answers its size."""
    sink = Sink(limit, end, None)
    Depths(end).check(value)
    Saver(sink, 5).dump(value)
    return sink.size


def look_again(items, limit, end, is_idle):
    """Tries again what could not be put aside before; false where that has to wait for idleness."""
    is_complete = True
    began = time.monotonic()
    soon = (began + end) / 2 if is_idle else began + CHEAP_SECONDS
    for name, known in list(unfit_before.items()):
        if name not in items:
            del unfit_before[name]
            continue
        value = items[name]
        is_same = known.mark == mark_of(value)
        if is_same and runs < known.waiting.due:
            continue
        if is_same and known.needs_idleness and not is_idle:
            is_complete = False
            continue
        began = time.monotonic()
        try:
            try_alone(value, limit, soon if is_same else end)
            del unfit_before[name]
        except KeyboardInterrupt:
            raise
        except TooLate:
            if not is_same:
                raise
            is_complete = False
            # what is quick comes first
            unfit_before[name] = unfit_before.pop(name)
        except BaseException as error:
            if not is_same:
                known = unfit_before[name] = Unfitness(value, "")
            known.reason = reason_of(error, limit)
        took = time.monotonic() - began
        known.needs_idleness |= took > SLOW_SECONDS
        if is_idle and took > CHEAP_SECONDS:
            known.waiting.lengthen()
    return is_complete


def fit(items, lost, limit, end):
    """Tries each by itself; of those that can be put aside, the smallest ones first until there is no more room."""
    sizes = {}
    for name, value in items.items():
        try:
            sizes[name] = try_alone(value, limit, end)
        except (KeyboardInterrupt, TooLate):
            raise
        except BaseException as error:
            lost[name] = reason_of(error, limit)
            unfit_before[name] = Unfitness(value, lost[name])
    left = limit
    for name in sorted(sizes, key=sizes.get):
        left -= sizes[name]
        if left < 0:
            lost[name] = too_large(limit)
    return {name: value for name, value in items.items() if name not in lost}


def write_variables(items, limit, end):
    """Writes one pickle after the other, in the order of the names; nothing is certain to have left before all have been written."""
    sink = Sink(limit, end, 0)
    depths = Depths(end)
    saver = Saver(sink, 5)
    for value in items.values():
        depths.check(value)
        saver.dump(value)
    return sink


def working_directory():
    try:
        return os.getcwd()
    except OSError:
        return DIRECTORY


def scan(*roots):
    """Every folder, file and link below, with what changes when they do."""
    found = []
    pending = list(roots)
    while pending:
        try:
            entries = list(os.scandir(pending.pop()))
        except OSError:
            continue
        for entry in entries:
            status = entry.stat(follow_symlinks=False)
            found.append((entry.path, status.st_mode, status.st_size, status.st_mtime_ns))
            if stat.S_ISDIR(status.st_mode):
                pending.append(entry.path)
    return found


def read_entry(path, mode):
    if stat.S_ISDIR(mode):
        return None
    if stat.S_ISLNK(mode):
        return os.readlink(path)
    with open(path, "rb") as file:
        return file.read()


def write_files(entries, limit, end, part=1):
    """The small ones first, until there is no more room; answers those that had none, and how many bytes were written."""
    sink = Sink(limit, end, part)
    lost = []
    for path, mode, size, _time in sorted(entries, key=lambda entry: entry[2]):
        if sink.size + size + len(path) + 100 > limit:
            lost.append((path, too_large(limit)))
            continue
        try:
            content = read_entry(path, mode)
        except OSError as error:
            lost.append((path, reason_of(error, limit)))
            continue
        Pickler(sink, 5).dump((path, content))
    sink.flush()
    return lost, sink.size


def package_entries():
    """The files of what was installed, without what Python has compiled of it; none where nothing was."""
    try:
        entries = scan(package_folder()) if package_changes > 0 else []
    except StopIteration:
        # the guest has taken it off the path
        entries = []
    return [entry for entry in entries if not stat.S_ISDIR(entry[1]) and "/__pycache__/" not in entry[0]]


def root_of(path):
    """The top-level module that a path in the folder of packages belongs to."""
    return os.path.relpath(path, package_folder()).partition("/")[0].partition(".")[0]


def save_packages(limit, end):
    """All of them or none: one without those that it needs is of no use. Answers those that are lost."""
    entries = package_entries()
    lost_roots.clear()
    unfit_before.clear()
    reason = too_large(limit)
    missing = []
    if sum(size + len(path) + 100 for path, _mode, size, _time in entries) <= limit:
        try:
            missing, _size = write_files(entries, limit, end, 2)
            reason = missing[0][1] if missing else None
        except TooLate:
            reason = "it takes too long to put it aside"
    if reason is None or not entries:
        return []
    put_aside(2, None)
    lost_roots.update(root_of(path) for path, *_ in entries)
    return [(f"the package {name}", reason) for name in installed_names(entries)]


def installed_names(entries):
    folders = {os.path.basename(os.path.dirname(path)) for path, *_ in entries}
    return sorted(name.removesuffix(".dist-info") for name in folders if name.endswith(".dist-info"))


unfit_before = {}
packages_before = None
lost_packages = []
mark_before = None
# the variables and what is around them, where nothing was lost and nothing of it can change unseen
same_before = None
# what took too long as a whole, and until when it does
late_mark = None
late_waiting = None
cost_before = 0.0
files_before = None
lost_files = []
file_bytes = 0


def surroundings():
    """What is put aside beside variables and files, without copies."""
    return [package_changes, sys.path, working_directory(), vars(os.environ)["_data"]]


def remember(items):
    """Everything has been put aside; of what can change, nobody sees at once whether it has."""
    global same_before
    is_small = len(files_before) <= SAME_FILES and sum(map(sys.getsizeof, items.values())) <= SAME_BYTES
    if is_small and set(map(type, items.values())) <= ATOMS:
        packages, path, directory, environment = surroundings()
        # the values stay, so that no others can have their places
        same_before = items, [packages, list(path), directory, dict(environment)]


def is_same():
    """Whether everything is as it was last put aside, as far as that can be seen at once."""
    if same_before is None:
        return False
    items, around = same_before
    try:
        now = guest_variables()
        is_kept = list(now) == list(items) and all(value is items[name] for name, value in now.items())
        return is_kept and surroundings() == around and scan(*ROOTS) == files_before
    except BaseException:
        return False


def save(limit, package_limit, seconds, is_idle):
    """Puts everything aside; answers JSON text, "later" for what should wait until nobody does, or nothing at all."""
    global mark_before, cost_before, late_mark, late_waiting, same_before
    same_before = None
    began = time.monotonic()
    items = guest_variables()
    mark = [(name, *mark_of(value)) for name, value in items.items()]
    mark.append(package_changes)
    if mark == late_mark and runs < late_waiting.due:
        return ""
    if not is_idle and cost_before > CHEAP_SECONDS and mark == mark_before:
        return "later"
    text = ""
    is_complete = True
    try:
        is_complete = look_again(items, limit, began + seconds, is_idle)
        text = save_all(items, limit, package_limit, began + seconds)
        late_mark = None
    except KeyboardInterrupt:
        # meant for the run before or the one after: it says nothing of what is put aside
        pass
    except TooLate:
        if is_idle:
            late_waiting = late_waiting if mark == late_mark else Waiting()
            late_waiting.lengthen()
            late_mark = mark
    mark_before = mark
    cost_before = time.monotonic() - began if is_complete else math.inf
    return text or ("" if is_idle else "later")


def save_all(items, limit, package_limit, end):
    global files_before, lost_files, file_bytes, packages_before, lost_packages
    has_new_packages = packages_before != package_changes
    if has_new_packages:
        now = time.monotonic()
        lost_packages = save_packages(package_limit, now + (end - now) / 2)
    entries = scan(*ROOTS)
    has_new_files = entries != files_before
    missing_files, used = write_files(entries, limit, end) if has_new_files else (lost_files, file_bytes)
    room = limit - used
    lost = {}
    for number, name in enumerate(items):
        if number >= NAMES:
            lost[name] = f"there are more than {NAMES} names"
        elif name in unfit_before:
            lost[name] = unfit_before[name].reason
    kept = {name: value for name, value in items.items() if name not in lost}
    try:
        sink = write_variables(kept, room, end)
    except (KeyboardInterrupt, TooLate):
        raise
    except BaseException:
        put_aside(0, None)
        kept = fit(kept, lost, room, end)
        sink = write_variables(kept, room, end)
    sink.limit += 2**20
    header = {"names": list(kept), "runs": runs, "path": list(map(str, sys.path))}
    header |= {"directory": working_directory(), "environment": dict(os.environ)}
    text = JSONEncoder().encode(header).encode()
    sink.write(text)
    sink.write(len(text).to_bytes(8, "little"))
    sink.flush()
    files_before, lost_files, file_bytes = entries, missing_files, used
    packages_before = package_changes
    missing = [*lost.items(), *lost_packages, *lost_files]
    if not missing:
        remember(items)
    return JSONEncoder().encode(
        {
            "hasNewFiles": has_new_files,
            "hasNewPackages": has_new_packages,
            "names": [name[:TEXT_LIMIT] for name in kept],
            "lost": [(name[:TEXT_LIMIT], why) for name, why in missing[:NAMES]],
        }
    )


# ---- in


class Source:
    """What an unpickler reads from, one segment after the other."""

    def __init__(self, data):
        self.data = data
        self.position = 0

    def read(self, size):
        begin = self.position
        self.position = min(begin + size, len(self.data))
        return self.data[begin : self.position]

    def readinto(self, buffer):
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def readline(self):
        end = self.data.find(b"\n", self.position)
        return self.read((len(self.data) if end < 0 else end + 1) - self.position)


def restore_files(data, lost):
    source = Source(data)
    while source.position < len(data):
        path, content = Unpickler(source).load()
        try:
            if content is None:
                os.makedirs(path, exist_ok=True)
            else:
                os.makedirs(os.path.dirname(path), exist_ok=True)
                restore_file(path, content)
        except OSError as error:
            lost.append((path, reason_of(error, 0)))


def restore_file(path, content):
    if isinstance(content, str):
        os.symlink(content, path)
        return
    with open(path, "wb") as file:
        file.write(content)


def restore_variables(data, names, lost):
    source = Source(data)
    reader = Unpickler(source)
    for index, name in enumerate(names):
        try:
            main.__dict__[name] = reader.load()
        except (KeyboardInterrupt, MemoryError):
            raise
        except BaseException as error:
            lost.append((name, reason_of(error, 0)))
            # what comes after it may hold parts of it
            why = f"it was put aside after {name!r}, which could not be read"
            lost.extend((later, why[:TEXT_LIMIT]) for later in names[index + 1 :])
            return


def restore(state, files, packages):
    """Makes this interpreter what the other one was; answers as JSON text what did not come back."""
    global runs, files_before, file_bytes, package_changes, packages_before, has_waiting
    lost = []
    packed = packages.to_bytes()
    if packed:
        package_changes += 1
        restore_files(packed, lost)
        importlib.invalidate_caches()
    packages_before = package_changes
    data = state.to_bytes()
    size = int.from_bytes(data[-8:], "little")
    header = loads(data[-8 - size : -8])
    runs = header["runs"]
    # a function that came back may wait
    has_waiting = can_switch
    contents = files.to_bytes()
    restore_files(contents, lost)
    files_before, file_bytes = scan(*ROOTS), len(contents)
    os.environ.clear()
    os.environ.update(header["environment"])
    sys.path[:] = header["path"]
    restore_variables(data, header["names"], lost)
    try:
        os.chdir(header["directory"])
    except OSError:
        os.chdir(DIRECTORY)
    return JSONEncoder().encode([(name[:TEXT_LIMIT], why) for name, why in lost])
