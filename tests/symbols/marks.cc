// Places in C++, as in marks.c.
#define HERE(label) __asm__ volatile(".globl " #label "\n" #label ":\n\tnop\n")

static volatile int sink;

namespace shop
{
template <typename T> struct Cart {
	T total;
	inline __attribute__((always_inline)) void add(T x) /* add begins */
	{
		HERE(here_add); /* in add */
		total += x;
	}
	__attribute__((noinline)) void fill(T x); /* fill is declared */
};

template <typename T> void Cart<T>::fill(T x) /* fill begins */
{
	add(x);		 /* fill calls add */
	HERE(here_fill); /* in fill */
	sink = total;
}

namespace
{
__attribute__((noinline)) void secret() /* secret begins */
{
	HERE(here_secret); /* in secret */
	sink++;
}
}
}

int main()
{
	shop::Cart<int> cart{ 0 };
	auto lambda = [&](int x) __attribute__((noinline)) {
		HERE(here_lambda); /* in lambda */
		sink += x;
	};

	cart.fill(2);
	shop::secret();
	lambda(3);
	return sink != 6;
}
