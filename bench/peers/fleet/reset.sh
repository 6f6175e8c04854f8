# Makes a machine bare again: what the benchmark's contenders made is taken away.
systemctl disable --now bench-1.service bench-2.service bench-3.service bench-4.service bench-5.service 2>/dev/null
rm -rf /etc/systemd/system/bench-?.service /etc/bench /var/lib/dure-fleet /root/.ansible
sed -i '/^# dure: begin/,/^# dure: end/d' /etc/hosts
systemctl daemon-reload
systemctl reset-failed
[ ! -e /etc/bench ] && ! systemctl is-active -q bench-1.service
