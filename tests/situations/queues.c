/* Waiting at the message queues and semaphores of System V and POSIX; the partner is outside. */
#include "situation.h"
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <unistd.h>

struct message {
	long type;
	char byte;
};

static void give_messages(const struct place *place)
{
	int queue = (int)must(msgget(IPC_PRIVATE, 0600), "msgget");
	struct message message = { .type = 1 };

	announce("%d", queue);
	await_begin(place);
	for (int i = 0; i < WAITS; i++) {
		pause_ms(WAIT_MS);
		must(msgsnd(queue, &message, 1, 0), "msgsnd");
	}
	pause_ms(WAIT_MS);
	must(msgctl(queue, IPC_RMID, NULL), "msgctl");
}

static void take_messages(const struct place *place)
{
	struct message message;

	begin(place);
	for (int i = 0; i < WAITS; i++)
		must(msgrcv(atoi(place->address), &message, 1, 0, 0), "msgrcv");
}

static void raise_semaphore(const struct place *place)
{
	int set = (int)must(semget(IPC_PRIVATE, 1, 0600), "semget");
	struct sembuf up = { .sem_op = 1 };

	announce("%d", set);
	await_begin(place);
	for (int i = 0; i < WAITS; i++) {
		pause_ms(WAIT_MS);
		must(semop(set, &up, 1), "semop");
	}
	pause_ms(WAIT_MS);
	must(semctl(set, 0, IPC_RMID), "semctl");
}

static void lower_semaphore(const struct place *place)
{
	struct sembuf down = { .sem_op = -1 };

	begin(place);
	for (int i = 0; i < WAITS; i++)
		must(semop(atoi(place->address), &down, 1), "semop");
}

static mqd_t open_queue(const char *name)
{
	struct mq_attr attributes = { .mq_maxmsg = 4, .mq_msgsize = 1 };

	return (mqd_t)must(mq_open(name, O_RDWR | O_CREAT, 0600, &attributes), "mq_open");
}

static void give_posix_messages(const struct place *place)
{
	char name[32];
	mqd_t queue;

	snprintf(name, sizeof(name), "/situation-%d", getpid());
	queue = open_queue(name);
	announce("%s", name);
	await_begin(place);
	for (int i = 0; i < WAITS; i++) {
		pause_ms(WAIT_MS);
		must(mq_send(queue, "x", 1, 0), "mq_send");
	}
	must(mq_unlink(name), "mq_unlink");
}

static void take_posix_messages(const struct place *place)
{
	mqd_t queue = open_queue(place->address);
	char byte;

	begin(place);
	for (int i = 0; i < WAITS; i++)
		must(mq_receive(queue, &byte, 1, NULL), "mq_receive");
}

const struct situation queue_situations[] = {
	{ "msgrcv", take_messages, give_messages },
	{ "semop", lower_semaphore, raise_semaphore },
	{ "mq_receive", take_posix_messages, give_posix_messages },
	{ NULL, NULL, NULL },
};
