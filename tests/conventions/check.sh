#!/usr/bin/env bash
# The house rules that a program can check; see check.py.
set -euo pipefail
exec python3 "$(dirname "$0")/check.py"
