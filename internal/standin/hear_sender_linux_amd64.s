#include "textflag.h"

// The handler of a signal: DI is its number, SI its siginfo_t. It may change all registers,
// which the kernel restores, and needs no stack.
TEXT handler<>(SB),NOSPLIT|NOFRAME,$0
	MOVQ	·pipe(SB), DI
	MOVL	$24, DX	// beginning
	MOVL	$1, AX	// write
	SYSCALL
	RET

// The kernel returns to it from the handler.
TEXT restorer<>(SB),NOSPLIT|NOFRAME,$0
	MOVL	$15, AX	// rt_sigreturn
	SYSCALL
	INT	$3

GLOBL	·handlerAddress(SB), RODATA, $8
DATA	·handlerAddress(SB)/8, $handler<>(SB)
GLOBL	·restorerAddress(SB), RODATA, $8
DATA	·restorerAddress(SB)/8, $restorer<>(SB)
