#!/bin/bash
# yama_vm.sh VMLINUZ BUILD: boots a kernel that has Yama in an emulator (no KVM is needed), with
# nothing in it but take_stacks and a program with a known stack, and shows whom ptrace_scope lets
# take stacks, without privileges. Exit status 0 if it is as it must be.
#   apt-get install qemu-system-x86 busybox-static; a Debian kernel package has /boot/vmlinuz-*
#   QEMU, BUSYBOX: their paths, if they are not in PATH
set -euo pipefail
(($# == 2)) || { sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2; }
kernel=$(realpath "$1") build=$(realpath "$2")
here=$(realpath "$(dirname "$0")")
qemu=${QEMU:-$(type -P qemu-system-x86_64)} busybox=${BUSYBOX:-$(type -P busybox)}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root

mkdir -p "$root"/{bin,proc,sys,dev,tmp}
cp "$busybox" "$root/bin/busybox"
cc -O1 -static -o "$root/bin/ptracer_pair" "$here/ptracer_pair.c"
cp "$build/tests/support/take_stacks" "$build/tests/programs/stacks/chain" "$root/bin/"
hooks=$(find "$build/lib/memlog-mpi" -name 'libmemlog_hooks_*.so' | head -n 1)
mkdir -p "$root/lib"
cp "$hooks" "$root/lib/hooks.so"
libraries=$(ldd "$root/bin/take_stacks" "$root/bin/chain" "$hooks" | grep -o '/[^ :]*so[^ :]*' | sort -u)
for library in $libraries; do
    mkdir -p "$root$(dirname "$library")"
    cp -L "$library" "$root$library"
done

cat >"$root/init" <<'I'
#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox chmod 755 / /bin
echo # the firmware leaves its line open
for scope in 0 1 2; do
    echo $scope >/proc/sys/kernel/yama/ptrace_scope
    for who in none pid any hooks; do
        for mode in hold spin; do
            echo "case $scope $who $mode"
            target="/bin/chain $mode nanosleep"
            permits=$who
            if [ $who = hooks ]; then # the preloaded library permits it, not the program
                permits=none target="/bin/busybox env LD_PRELOAD=/lib/hooks.so $target"
            fi
            /bin/ptracer_pair $permits /bin/take_stacks unwind 1 -- $target
        done
    done
done
echo finished
/bin/busybox poweroff -f
I
chmod 755 "$root/init"
(cd "$root" && find . | "$busybox" cpio -o -H newc 2>/dev/null | gzip -1) >"$work/initramfs"

timeout -k 5 300 "$qemu" -accel tcg -cpu max -m 512 -nographic -no-reboot -kernel "$kernel" \
    -initrd "$work/initramfs" -append "console=ttyS0 quiet panic=-1" </dev/null |
    tr -d '\r' >"$work/log"
grep -q '^finished$' "$work/log" || { cat "$work/log" >&2; exit 1; }

# Taken: the whole stack. Refused: ML_STACK_REFUSED (2), and the taker ends well.
awk '
    function judge() {
        if (name == "")
            return
        verdict = (taken && !refused) ? "taken" : (refused && !taken) ? "refused" : "neither"
        wanted = (scope == 0 || scope == 1 && who != "none") ? "taken" : "refused"
        printf "%-22s %s%s\n", name, verdict, verdict == wanted ? "" : ", must be " wanted
        bad += verdict != wanted
        cases++
    }
    $1 == "case" { judge(); scope = $2; who = $3; name = "ptrace_scope=" $2 " " $3 " " $4
                   taken = refused = 0; next }
    /^  outer\|/ { taken = 1 }
    /^failed [0-9]+ 2 / { refused = 1; text = $0 }
    END { judge(); print text; exit bad != 0 || cases != 24 }' "$work/log" || { cat "$work/log" >&2; exit 1; }
