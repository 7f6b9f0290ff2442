#!/bin/sh
# Runs a command in the Debian in the folder $1. While it is on (tests/deploy/boot.sh), the number of its first process stands in
# a file beside it; otherwise there is only /proc, which goes by itself with the program that needed it.
set -eu
folder=$1
shift
if [ -s "$folder.leader" ]; then
    exec nsenter -t "$(cat "$folder.leader")" --mount --uts --ipc --net --pid --cgroup --root --wd "$@"
fi
exec unshare --mount --propagation=slave sh -c 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"' "$folder" "$@"
