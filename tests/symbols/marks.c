/* Places in C whose addresses labels tell, for unit/test_symbols.c. The comments at the ends of
 * lines name them: their numbers are what has to be found. */
#define HERE(label) __asm__ volatile(".globl " #label "\n" #label ":\n\tnop\n")

static volatile int sink;

static inline __attribute__((always_inline)) void inner(int x) /* inner begins */
{
	HERE(here_inner); /* in inner */
	sink += x;
}

static inline __attribute__((always_inline)) void middle(int x) /* middle begins */
{
	inner(x + 1); /* middle calls inner */
}

__attribute__((noinline)) void outer(int x) /* outer begins */
{
	middle(x * 2);	  /* outer calls middle */
	HERE(here_outer); /* in outer */
	sink++;
}

static __attribute__((noinline)) void hidden(void) /* hidden begins */
{
	HERE(here_hidden); /* in hidden */
	sink--;
}

int main(void)
{
	outer(1);
	hidden();
	HERE(here_main); /* in main */
	return sink != 3;
}
