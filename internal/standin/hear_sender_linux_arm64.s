#include "textflag.h"

// The handler of a signal: R0 is its number, R1 its siginfo_t. It may change all registers,
// which the kernel restores, and needs no stack.
TEXT handler<>(SB),NOSPLIT|NOFRAME,$0
	MOVD	·pipe(SB), R0
	MOVD	$24, R2	// beginning
	MOVD	$64, R8	// write
	SVC
	RET

// The kernel returns to it from the handler.
TEXT restorer<>(SB),NOSPLIT|NOFRAME,$0
	MOVD	$139, R8	// rt_sigreturn
	SVC
	BRK

GLOBL	·handlerAddress(SB), RODATA, $8
DATA	·handlerAddress(SB)/8, $handler<>(SB)
GLOBL	·restorerAddress(SB), RODATA, $8
DATA	·restorerAddress(SB)/8, $restorer<>(SB)
