#!/bin/sh
# Boots the Debian in the folder $1, whose name is $2, with systemd as its first process: in a network (ip netns) called $2,
# and with processes, mounts, control groups and a name of its own. Nothing of the machine around it is written to.
set -eu
root=$1 name=$2

if [ "${3:-}" != inside ]; then
    # A group of its own in each hierarchy, which is the top of it for those inside.
    for group in "" unified/ systemd/ memory/ pids/; do
        [ -e "/sys/fs/cgroup/${group}cgroup.procs" ] || continue
        mkdir "/sys/fs/cgroup/$group$name"
        echo $$ > "/sys/fs/cgroup/$group$name/cgroup.procs"
    done
    exec ip netns exec "$name" unshare --pid --mount --cgroup --ipc --uts --fork --kill-child sh "$0" "$root" "$name" inside
fi

mount --make-rprivate /
mount --bind "$root" "$root"
hostname "$(cat "$root/etc/hostname")"
mount -t proc proc "$root/proc"
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"
mount --bind "$root/proc/sys/net" "$root/proc/sys/net" 2>/dev/null || true
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs "$root/sys"
if [ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ]; then
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
else
    mount -t tmpfs -o mode=755 tmpfs "$root/sys/fs/cgroup"
    for controller in unified systemd memory pids; do mkdir "$root/sys/fs/cgroup/$controller"; done
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup/unified"
    mount -t cgroup -o none,name=systemd cgroup "$root/sys/fs/cgroup/systemd"
    mount -t cgroup -o memory cgroup "$root/sys/fs/cgroup/memory"
    mount -t cgroup -o pids cgroup "$root/sys/fs/cgroup/pids"
fi
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero full random urandom tty; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
cd "$root"
pivot_root . mnt
umount -l /mnt
exec env -i container=kairan PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --log-target=console
