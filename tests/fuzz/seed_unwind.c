/*
 * What fuzz_unwind starts from: a small program, never run, with call frame information of all
 * sorts. Built with .eh_frame, and with .debug_frame, plain and compressed.
 */
#ifdef __GCC_HAVE_DWARF2_CFI_ASM
/* As in a signal's frame: everything is computed. */
__asm__(".text\n"
	".type computed, @function\n"
	"computed:\n"
	".cfi_startproc\n"
	".cfi_signal_frame\n"
	".cfi_escape 0x0f, 4, 0x77, 0xa0, 0x01, 0x06\n"	      /* CFA: *(rsp + 160) */
	".cfi_escape 0x10, 16, 3, 0x77, 0xa8, 0x01\n"	      /* rip at rsp + 168 */
	".cfi_escape 0x16, 6, 5, 0x76, 0, 0x38, 0x1c, 0x06\n" /* rbp: *(rbp - 8) */
	"nop\n"
	/* As in a PLT: rsp + 8 + ((rip & 15) >= 11) * 8, then a branch. */
	".cfi_escape 0x0f, 11, 0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22\n"
	"nop\n"
	".cfi_escape 0x0f, 12, 0x77, 8, 0x77, 0, 0x06, 0x28, 2, 0, 0x38, 0x22, 0x12, 0x13\n"
	"nop\n"
	".cfi_def_cfa 6, 16\n"
	".cfi_offset 6, -16\n"
	".cfi_register 16, 2\n"
	".cfi_remember_state\n"
	"nop\n"
	".cfi_escape 0x14, 3, 3\n" /* rbx is CFA - 24 */
	".cfi_same_value 12\n"
	"nop\n"
	".cfi_restore_state\n"
	".cfi_undefined 16\n"
	"nop\n"
	".cfi_endproc\n"
	".size computed, . - computed\n");
#endif

int seed_of(int value, char *room);
void _start(void);

__attribute__((noinline)) int seed_of(int value, char *room)
{
	volatile int aligned[8] __attribute__((aligned(64)));
	char *more = __builtin_alloca((unsigned int)value);

	aligned[value & 7] = value;
	more[1] = room[2];
	return value < 2 ? aligned[1] : seed_of(value - 1, more) + aligned[2] + more[3];
}

void _start(void)
{
	char room[16] = { 0 };

	seed_of(4, room);
}
