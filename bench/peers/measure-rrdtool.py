"""Measures rrdtool on one part of the work. Task as JSON on the standard input; prints figures and checks as JSON.

A value given at an instant stands for the step before it, so that point i is written at start + (i + 1) * step.
"""

import array
import json
import os
import resource
import sys
import time

import rrdtool

TASK = json.load(sys.stdin)
START, STEP, LEVELS = TASK["startSeconds"], TASK["stepSeconds"], TASK["levelSeconds"]
# More arguments of one call than this are slower.
UPDATES_PER_CALL = 1000
DAY = 86_400
GAUGE = f"DS:v:GAUGE:{2 * STEP}:U:U"

figures, checks = {}, {}


def load_values():
    values = array.array("d")
    with open(TASK["valuesPath"], "rb") as file:
        values.frombytes(file.read())
    return values


def text_of(value):
    return repr(int(value)) if value == int(value) else repr(value)


def update_text(position, value):
    return f"{START + (position + 1) * STEP}:{text_of(value)}"


def create(path, point_count, sources=(GAUGE,), has_levels=True):
    archives = [f"RRA:AVERAGE:0.5:1:{point_count}"]
    if has_levels:
        for level in LEVELS:
            row_count = max(1, -(-point_count * STEP // level))
            for function in ("AVERAGE", "MIN", "MAX"):
                archives.append(f"RRA:{function}:0.5:{level // STEP}:{row_count}")
    rrdtool.create(path, "--start", str(START), "--step", str(STEP), *sources, *archives)
    return path


def fetch(path, function, resolution, start, end):
    """Rows of the buckets that begin in [start, end)."""
    (_, _, step), _, rows = rrdtool.fetch(
        path, function, "-r", str(resolution), "-s", str(start), "-e", str(end - resolution)
    )
    assert step == resolution, (path, step)
    return rows


def timed(work):
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def median_ms(count, read):
    for i in range(3):
        read(i)
    taken = sorted(timed(lambda i=i: read(i + 3)) * 1000 for i in range(count))
    return taken[(len(taken) - 1) // 2]


def is_near(a, b):
    return a is not None and abs(a - b) <= 1e-9 * max(1, abs(a), abs(b))


def path_of(name):
    return os.path.join(TASK["folder"], f"{name}.rrd")


def written_bytes():
    with open("/proc/self/io", encoding="ascii") as file:
        return int(next(line for line in file if line.startswith("write_bytes")).split()[1])


def measure_w1(values):
    count = len(values)
    updates = [update_text(i, value) for i, value in enumerate(values)]

    def ingest(path):
        for start in range(0, count, UPDATES_PER_CALL):
            rrdtool.update(path, *updates[start : start + UPDATES_PER_CALL])

    raw = create(path_of("raw"), count, has_levels=False)
    figures["w1_ingest"] = count / timed(lambda: ingest(raw))
    figures["w1_bytes_raw"] = os.stat(raw).st_size / count
    whole = create(path_of("w1"), count)
    figures["w1_levels"] = count / timed(lambda: ingest(whole))
    figures["w1_bytes_levels"] = os.stat(whole).st_size / count
    end = START + count * STEP
    days = [row[0] for row in fetch(whole, "MAX", DAY, START, end)]
    per_day = DAY // STEP
    checks["days"] = all(
        is_near(days[i], max(values[i * per_day : (i + 1) * per_day])) for i in range(count // per_day - 1)
    )

    def read(_):
        for function in ("AVERAGE", "MIN", "MAX"):
            assert len(fetch(whole, function, 3600, START, end)) >= count * STEP // 3600 - 1

    figures["read_90d_1h"] = median_ms(TASK["readCounts"]["long"], read)


def measure_w2(values):
    names = TASK["streamNames"]
    stream_count = len(names)
    tick_count = len(values) // stream_count
    paths = [create(path_of(name), tick_count) for name in names]
    ticks = [
        [update_text(tick, values[tick * stream_count + stream]) for stream in range(stream_count)]
        for tick in range(tick_count)
    ]

    def ingest():
        update = rrdtool.update
        for tick in ticks:
            for path, text in zip(paths, tick):
                update(path, text)

    cpu = time.process_time()
    written = written_bytes()
    seconds = timed(ingest)
    figures["w2_cpu"] = time.process_time() - cpu
    if written_bytes() > written:
        figures["w2_written"] = (written_bytes() - written) / len(values)
    figures["w2_live"] = len(values) / seconds
    figures["w2_bytes_levels"] = sum(os.stat(path).st_size for path in paths) / len(values)
    raw = create(path_of("raw"), tick_count, has_levels=False)
    figures["w2_bytes_raw"] = os.stat(raw).st_size / tick_count
    end = START + tick_count * STEP
    rows = fetch(paths[7], "MAX", 600, START, end)
    mine = values[7::stream_count]
    checks["10minutes"] = all(
        is_near(rows[i][0], max(mine[i * 60 : (i + 1) * 60])) for i in range(tick_count // 60 - 1)
    )
    derive(values, stream_count)
    add_up(values, paths, end)

    def read_raw(i):
        rows = fetch(paths[(i * 37) % stream_count], "AVERAGE", STEP, end - 3600, end)
        assert len(rows) >= 359, len(rows)

    figures["read_1h_raw"] = median_ms(TASK["readCounts"]["raw"], read_raw)

    def read_wide(_):
        for stream in TASK["wide"]:
            for function in ("AVERAGE", "MIN", "MAX"):
                fetch(paths[stream], function, 60, START, end)

    figures["read_100x1m"] = median_ms(TASK["readCounts"]["wide"], read_wide)
    figures["w2_peak_rss"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def derive(values, stream_count):
    """It derives only as it is updated: the time is that of updating a second source of the same files."""
    tick_count = len(values) // stream_count
    counters = TASK["counters"]
    sources = (f"DS:d:DERIVE:{2 * STEP}:0:U",)
    paths = [create(path_of(f"d{stream}"), tick_count, sources, has_levels=False) for stream in counters]
    updates = [
        [update_text(tick, values[tick * stream_count + stream]) for tick in range(tick_count)]
        for stream in counters
    ]

    def ingest():
        for path, texts in zip(paths, updates):
            for start in range(0, tick_count, UPDATES_PER_CALL):
                rrdtool.update(path, *texts[start : start + UPDATES_PER_CALL])

    figures["deriv"] = timed(ingest)
    end = START + tick_count * STEP
    count = sum(
        1 for path in paths for row in fetch(path, "AVERAGE", STEP, START, end) if row[0] is not None
    )
    checks["derivatives"] = count == TASK["expected"]["derivatives"]


def add_up(values, paths, end):
    stream_count = len(paths)
    wide = TASK["wide"]
    sum_path = create(path_of("sum"), len(values) // stream_count)
    rows = []

    def work():
        nonlocal rows
        definitions = [f"DEF:v{i}={paths[stream]}:v:AVERAGE" for i, stream in enumerate(wide)]
        expression = "v0" + "".join(f",v{i},+" for i in range(1, len(wide)))
        answer = rrdtool.xport(
            *("-s", str(START), "-e", str(end - STEP), "--step", str(STEP), "-m", "100000"),
            *definitions,
            f"CDEF:s={expression}",
            "XPORT:s:sum",
        )
        rows = [(answer["meta"]["start"] + (i + 1) * STEP, row[0]) for i, row in enumerate(answer["data"])]
        rows = [(at, value) for at, value in rows if at > START and value is not None]
        rrdtool.update(sum_path, *[f"{at}:{value!r}" for at, value in rows])

    figures["sum100"] = timed(work)
    tick = 100
    expected = sum(values[tick * stream_count + stream] for stream in wide)
    # Depending on the version, a row is labelled with the start or the end of its step.
    near = [value for at, value in rows if abs(at - (START + (tick + 1) * STEP)) <= STEP]
    checks["sums"] = any(is_near(value, expected) for value in near)


measure_w1(load_values()) if TASK["part"] == "w1" else measure_w2(load_values())
print(json.dumps({"version": rrdtool.lib_version(), "figures": figures, "checks": checks}))
