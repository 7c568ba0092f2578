#!/bin/sh
# A monitor and its own adapter. Each runtime is a directory and a cgroup (version 2).
# A process does not leave its cgroup by fork, exec or setsid, and cgroup.events shows
# when it is empty, so this monitor is exact. It needs Linux, perl and the permission
# to make cgroups.
set -eu
case $1 in
list) cd "$MONITOR_STORE" && exec ls ;;
shell) set -- shell "$2" -- "$SHELL" ;;
esac
dir=$MONITOR_STORE/$2
shift 3
root=$(sed -n '/ cgroup2 /{s/^[^ ]* \([^ ]*\) .*/\1/p;q;}' /proc/mounts)
here=$root$(sed -n 's/^0:://p' /proc/self/cgroup)
mkdir "$dir"
# Below the cgroup of this process, so that an outer runtime has the processes of an
# inner one.
cgroup=$(mktemp -d "$here/${dir##*/}.XXXXXX")
echo 0 >"$cgroup/cgroup.procs"
# The monitor leaves the cgroup and the session, closes all that it inherited, and
# writes a line when it is ready. Then this process execs the command.
perl -e '
	use POSIX ();
	my ($root, $cgroup, $dir) = @ARGV;
	pipe my $ready, my $watching;
	if (fork) { close $watching; exit !<$ready> }
	POSIX::setsid();
	open my $procs, ">", "$root/cgroup.procs" or die "$root: $!\n";
	syswrite $procs, "0" or die "$root: $!\n";
	sysopen my $events, "$cgroup/cgroup.events", 0 or die "$cgroup: $!\n";
	opendir my $fds, "/proc/self/fd";
	for (grep /\d/, readdir $fds) { POSIX::close($_) if $_ != fileno $events and $_ != fileno $watching }
	syswrite $watching, "now\n";
	close $watching;
	for (;;) {
		sysseek $events, 0, 0;
		sysread $events, my $text, 100 or last; # fails if an outer monitor has removed the cgroup
		last if $text =~ /populated 0/;
		vec(my $changed = "", fileno $events, 1) = 1;
		select undef, undef, $changed, undef; # a change is reported like urgent data
	}
	rmdir $dir;
	exec "find", $cgroup, qw(-depth -type d -exec rmdir {} ;);
' "$root" "$cgroup" "$dir"
exec "$@"
