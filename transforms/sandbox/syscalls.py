"""The system calls that the filter names."""

from __future__ import annotations

_MEMORY = """
    brk munmap mremap mprotect madvise mincore msync mlock mlock2 munlock membarrier
    pkey_alloc pkey_free pkey_mprotect get_mempolicy
"""
_FILES = """
    close close_range creat read write readv writev pread64 pwrite64 preadv pwritev
    preadv2 pwritev2 lseek stat fstat lstat newfstatat statx statfs fstatfs access faccessat
    faccessat2 getdents getdents64 getcwd chdir fchdir mkdir mkdirat rmdir unlink unlinkat rename
    renameat renameat2 link linkat symlink symlinkat readlink readlinkat ftruncate fallocate
    fadvise64 readahead sendfile copy_file_range splice tee vmsplice sync_file_range
    fsync fdatasync flock dup dup2 dup3 pipe pipe2 umask mknod mknodat
    getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr
    inotify_init inotify_init1 inotify_add_watch inotify_rm_watch cachestat
"""
_WAITING = """
    select pselect6 poll ppoll epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_wait
    epoll_wait_old epoll_pwait epoll_pwait2 eventfd eventfd2 signalfd signalfd4 timerfd_create
    timerfd_settime timerfd_gettime nanosleep clock_nanosleep pause
"""
_SOCKETS_OF_PAIRS = """
    sendto recvfrom sendmsg recvmsg sendmmsg recvmmsg shutdown getsockopt setsockopt getsockname
    getpeername
"""
_PROCESSES = """
    exit exit_group wait4 waitid getpid getppid gettid getpgrp getpgid setpgid getsid
    setsid getuid geteuid getgid getegid getgroups getresuid getresgid capget set_tid_address
    set_robust_list get_robust_list rseq futex futex_waitv futex_wake futex_wait futex_requeue
    sched_yield sched_getaffinity sched_getparam sched_getscheduler
    sched_getattr sched_get_priority_max sched_get_priority_min getpriority getrlimit setrlimit
    getrusage times arch_prctl getcpu restart_syscall ioprio_get
"""
_HANDLERS = """
    rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigtimedwait rt_sigsuspend
    sigaltstack alarm getitimer setitimer timer_create timer_settime timer_gettime
    timer_getoverrun timer_delete
"""
_CLOCKS_AND_NAMES = """
    time gettimeofday clock_gettime clock_getres uname sysinfo getrandom
"""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


ALLOWED = _names(
    _MEMORY + _FILES + _WAITING + _SOCKETS_OF_PAIRS + _PROCESSES + _HANDLERS + _CLOCKS_AND_NAMES
)

SIGNALS = _names(
    """
    kill tkill tgkill rt_sigqueueinfo rt_tgsigqueueinfo
    """
)

CHANGES_OF_METADATA = _names(
    """
    chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat utime utimes utimensat
    futimesat setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr truncate
    """
)

UNCOUNTED_WRITES = _names("fallocate splice vmsplice tee")

WATCHES = _names("inotify_init inotify_init1 inotify_add_watch inotify_rm_watch")

REFUSED = _names(
    """
    execve execveat socket connect bind listen accept accept4 ptrace process_vm_readv
    process_vm_writev process_madvise kcmp pidfd_open pidfd_getfd pidfd_send_signal
    memfd_create memfd_secret userfaultfd mount umount umount2 pivot_root chroot unshare setns
    open_tree move_mount mount_setattr fsopen fsconfig fsmount fspick name_to_handle_at
    open_by_handle_at shmget shmat shmctl shmdt msgget msgsnd msgrcv msgctl semget semop
    semctl semtimedop mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr
    add_key request_key keyctl bpf perf_event_open io_uring_setup io_uring_enter
    io_uring_register init_module finit_module delete_module kexec_load kexec_file_load reboot
    swapon swapoff acct quotactl quotactl_fd syslog settimeofday clock_settime adjtimex
    clock_adjtime sethostname setdomainname iopl ioperm modify_ldt vhangup setuid setgid
    setreuid setregid setresuid setresgid setfsuid setfsgid setgroups capset setpriority
    sched_setscheduler sched_setparam sched_setattr ioprio_set fanotify_init fanotify_mark
    seccomp lookup_dcookie move_pages migrate_pages mbind set_mempolicy mlockall
    munlockall
    """
)

CLONE_NAMESPACES = 0x7E020000
"""The flags of new namespaces: mount, cgroup, UTS, IPC, user, PID, network."""

CLONE_THREAD = 0x10000

FCNTLS = frozenset({*range(8), 36, 37, 38, *range(1030, 1035)})
"""F_DUPFD to F_SETLKW, locks of open files, F_DUPFD_CLOEXEC, sizes of pipes and seals: none of
leases, which keep others waiting, and none of signals, which reach them."""

ACCESS_TO_NOTHING = 3
"""The mode of access that asks for neither reading nor writing, so that nothing is checked."""

TRUNCATE = 0x200
NAMELESS = 0x400000
"""O_TRUNC, and the bit of O_TMPFILE that is not O_DIRECTORY."""

MAP_SHARED, MAP_ANONYMOUS = 1, 0x20

PRCTLS = frozenset({15, 16, 3, 21, 39})
"""PR_SET_NAME and PR_GET_ of name, dumpable, seccomp and no_new_privs."""

IOCTLS = frozenset({0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451})
"""TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX and FIOCLEX."""

COMMANDS = _names(
    """
    execve execveat socket connect bind listen accept accept4 memfd_create setpriority
    pidfd_open pidfd_send_signal
    """
)
"""What programs need that start others and talk to them."""

OWN_FAMILIES = frozenset({1, 2, 10})
"""AF_UNIX, AF_INET and AF_INET6, which a network namespace keeps in: others reach the machine."""

COMMAND_PRCTLS = frozenset({1, 2, 4, 22, 23, 38, 0x53564D41})
"""Death signals, dumpable, seccomp of their own, PR_CAPBSET_READ, no_new_privs and names of
memory."""

COMMAND_IOCTLS = frozenset(
    {
        *(0x8912, 0x8915, 0x8913, 0x8927, 0x8933, 0x8910),
        *range(0x5402, 0x540C),
        *(0x540E, 0x540F, 0x5410, 0x5411, 0x5414, 0x5420, 0x5422, 0x5429),
        *(0x802C542A, 0x402C542B, 0x402C542C, 0x402C542D, 0x80045430, 0x40045431, 0x5441),
    }
)
"""SIOCGIF of CONF, ADDR, FLAGS, HWADDR, INDEX and NAME; and what sets up a terminal, of which
there are none but the command's own: not TIOCSTI, TIOCLINUX and TIOCCONS."""
