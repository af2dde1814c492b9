/* The tables of libraries; see libraries.h. Names of files: Debian 12's packages and PyPI's. */
#include <string.h>
#include "decide/libraries.h"

static const struct library blocking[] = {
	{ RUNTIME_CPYTHON, "psycopg2/", "_psycopg", "psycopg2",
	  "asyncpg or the async connections of psycopg 3" },
	{ RUNTIME_CPYTHON, "MySQLdb/", "_mysql", "mysqlclient", "asyncmy or aiomysql" },
	{ RUNTIME_CPYTHON, NULL, "_mysql_connector", "MySQL Connector", "mysql.connector.aio" },
	{ RUNTIME_CPYTHON, NULL, "cx_Oracle", "cx_Oracle", "oracledb.connect_async()" },
	{ RUNTIME_CPYTHON, "oracledb/", "thin_impl", "oracledb", "oracledb.connect_async()" },
	{ RUNTIME_CPYTHON, "pymongo/", "_cmessage", "PyMongo",
	  "its AsyncMongoClient (from 4.9 on) or Motor" },
	{ RUNTIME_CPYTHON, "grpc/", "cygrpc", "grpc", "grpc.aio" },
	{ RUNTIME_CPYTHON, NULL, "pycurl", "PycURL", "aiohttp or httpx" },
	{ RUNTIME_CPYTHON, NULL, "_ldap", "python-ldap", "bonsai" },
	{ RUNTIME_CPYTHON, "hiredis/", "hiredis", "redis-py", "redis.asyncio" },
	{ RUNTIME_CPYTHON, NULL, "pyodbc", "pyodbc", "aioodbc, which keeps threads for it" },
	{ RUNTIME_CPYTHON, "pymssql/", "_pymssql", "pymssql", "asyncio.to_thread()" },
	{ RUNTIME_CPYTHON, "zmq/backend/", NULL, "pyzmq", "zmq.asyncio" },
	{ RUNTIME_CPYTHON, NULL, "_sqlite3", "sqlite3", "aiosqlite, which keeps a thread for it" },
	{ RUNTIME_RUBY, NULL, "mysql2", "mysql2", "trilogy" },
	{ RUNTIME_NODE, NULL, "better_sqlite3", "better-sqlite3", "a worker thread" },
	{ RUNTIME_NATIVE, NULL, "libpq", "libpq", "PQsendQuery() and PQsocket()" },
	{ RUNTIME_NATIVE, NULL, "libmysqlclient", "libmysqlclient",
	  "mysql_real_query_nonblocking()" },
	{ RUNTIME_NATIVE, NULL, "libmariadb", "libmariadb", "mysql_real_query_start()" },
	{ RUNTIME_NATIVE, NULL, "libcurl", "libcurl", "curl_multi_socket_action()" },
	{ RUNTIME_NATIVE, NULL, "libcurl-gnutls", "libcurl", "curl_multi_socket_action()" },
	{ RUNTIME_NATIVE, NULL, "libhiredis", "hiredis", "redisAsyncCommand()" },
	{ RUNTIME_NATIVE, NULL, "libsqlite3", "SQLite", "a thread of its own" },
};

static const struct library without_gil[] = {
	{ RUNTIME_CPYTHON, "numpy/", "_multiarray_umath", "NumPy", NULL },
	{ RUNTIME_CPYTHON, NULL, "libtorch_cpu", "PyTorch", NULL },
	{ RUNTIME_CPYTHON, NULL, "cv2", "OpenCV", NULL },
	{ RUNTIME_CPYTHON, "PIL/", "_imaging", "Pillow", NULL },
	{ RUNTIME_CPYTHON, "polars/", NULL, "Polars", NULL },
	{ RUNTIME_CPYTHON, NULL, "libarrow", "Arrow", NULL },
	{ RUNTIME_CPYTHON, "lxml/", "etree", "lxml", NULL },
};

/* "_psycopg.cpython-311-x86_64-linux-gnu.so" is "_psycopg", "libpq.so.5" is "libpq". */
static bool is_named(const char *base, const char *file)
{
	size_t len = strlen(file);

	return !strncmp(base, file, len) && base[len] == '.';
}

/* Whether @directory ends right before the file's name or a directory above it. */
static bool is_in(const char *path, const char *directory)
{
	const char *at = strstr(path, directory);

	return at && (at == path || at[-1] == '/');
}

static bool is_mapped(const struct library *library, const struct obs_process *process)
{
	for (size_t i = 0; i < process->module_cnt; i++) {
		const char *path = process->modules[i], *slash = strrchr(path, '/');

		if ((!library->file || is_named(slash ? slash + 1 : path, library->file)) &&
		    (!library->directory || is_in(path, library->directory)))
			return true;
	}
	return false;
}

size_t libraries_that_block(enum runtime_id runtime, const struct obs_process *process,
			    const struct library **found)
{
	size_t cnt = 0;

	for (size_t i = 0; i < sizeof(blocking) / sizeof(blocking[0]); i++)
		if (blocking[i].runtime == runtime && cnt < LIBRARIES_FOUND_MAX &&
		    is_mapped(&blocking[i], process))
			found[cnt++] = &blocking[i];
	return cnt;
}

const struct library *library_without_gil(const struct obs_process *process)
{
	for (size_t i = 0; i < sizeof(without_gil) / sizeof(without_gil[0]); i++)
		if (is_mapped(&without_gil[i], process))
			return &without_gil[i];
	return NULL;
}
