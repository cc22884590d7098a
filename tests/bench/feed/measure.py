#!/usr/bin/env python3
"""measure.py OUT COMMAND...: run a command; append its CPU seconds, wall seconds and peak RSS (MiB, of the biggest process) to OUT."""
import resource
import subprocess
import sys
import time

begin = time.monotonic()
status = subprocess.call(sys.argv[2:])
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
with open(sys.argv[1], "w") as out:
    print(f"{usage.ru_utime + usage.ru_stime:.3f} {time.monotonic() - begin:.3f} {usage.ru_maxrss / 1024:.1f}", file=out)
sys.exit(status)
