#!/bin/sh
# An edge machine in little: Debian's nginx and sshd, in mounts and a process table of their own over this machine's files, on this machine's network.
# Nothing of it stays. root.sh WORK SSH-PORT, below `unshare --mount --pid --fork --kill-child --mount-proc`.
set -e
work=$1 port=$2
mount -t tmpfs none /mnt
mkdir -p /mnt/up /mnt/work /mnt/root
mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/up,workdir=/mnt/work /mnt/root
cd /mnt/root
mkdir -p tmp run/sshd "$work"
mount -t proc proc proc
mount --rbind /dev dev
mount --bind "$work" ".$work"
printf '#!/bin/sh\nexit 101\n' >usr/sbin/policy-rc.d
chmod 755 usr/sbin/policy-rc.d
export DEBIAN_FRONTEND=noninteractive PATH=/usr/sbin:/usr/bin:/sbin:/bin
chroot . apt-get -qq update
chroot . apt-get -qq install -y --no-install-recommends nginx curl openssh-server procps >/dev/null
cp usr/sbin/nginx "$work/nginx"
mkdir -p etc/dure/nginx.d var/log/nginx var/lib/nginx var/cache/nginx
install -d -m 700 root/.ssh
install -m 600 "$work/client.pub" root/.ssh/authorized_keys
install -m 600 "$work/host" etc/ssh/host
cp "$work/nginx.conf" etc/nginx/nginx.conf
chroot . nginx
echo 'the edge stands'
exec chroot . /usr/sbin/sshd -D -e -f /dev/null -p "$port" -h /etc/ssh/host -o ListenAddress=127.0.0.1 -o UsePAM=no -o StrictModes=no -o "SetEnv=PATH=$PATH"
