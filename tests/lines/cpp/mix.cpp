// The planted lines in C++: a template, a method, a lambda in std::thread, and exceptions thrown and caught:
// mix TRUTH PARTNER SECONDS.
#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <thread>
#include <unistd.h>
#include <vector>

#include "../c/steps.h"
#include "../c/truth.h"

namespace planted
{

template <typename Number> [[gnu::noinline]] Number hot(Number x, int cnt)
{
	for (int i = 0; i < cnt; i++)
		x = STEP256(x); // HOT
	return x;
}

class Service
{
      public:
	explicit Service(const char *where) : partner(partner_open(where))
	{
	}

	[[gnu::noinline]] char wait_here()
	{
		char answer;

		partner_ask(partner, 6000);
		if (read(partner.in, &answer, 1) != 1) // WAIT
			throw std::runtime_error("no answer");
		return answer;
	}

      private:
	struct partner partner;
};

[[gnu::noinline]] void thrown(int depth)
{
	if (!depth)
		throw std::invalid_argument("on purpose");
	thrown(depth - 1);
}

[[gnu::noinline]] int other(int cnt)
{
	int caught = 0;

	for (int i = 0; i < cnt; i++) {
		try {
			thrown(3);
		} catch (const std::invalid_argument &) {
			caught++;
		}
	}
	return caught;
}

[[gnu::noinline]] void nap()
{
	std::this_thread::sleep_for(std::chrono::milliseconds(1)); // OTHER_WAIT
}

} // namespace planted

static volatile std::uint64_t sink = 1;

static void work(const char *where, std::uint64_t end_ns)
{
	planted::Service service(where);

	while (truth_now_ns() < end_ns) {
		auto mark = truth_begin();
		sink = planted::hot<std::uint64_t>(sink, 30000);
		truth_end(mark, SECTION_HOT);
		mark = truth_begin();
		sink = sink + planted::other(600);
		truth_end(mark, SECTION_OTHER);
		mark = truth_begin();
		service.wait_here();
		truth_end(mark, SECTION_WAIT);
		mark = truth_begin();
		planted::nap();
		truth_end(mark, SECTION_OTHER_WAIT);
	}
}

int main(int argc, char **argv)
{
	std::vector<std::thread> threads;

	if (argc != 4)
		return 2;
	const auto end_ns = truth_now_ns() + static_cast<std::uint64_t>(atof(argv[3]) * 1e9);
	for (int i = 0; i < 2; i++)
		threads.emplace_back([=] { work(argv[2], end_ns); });
	for (auto &thread : threads)
		thread.join();
	truth_write(argv[1]);
	return 0;
}
