#include "store/pages.h"

#include "base/mem.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* LMDB 0.9's file, in the byte order of this machine (mdb.c: MDB_page, MDB_node, MDB_db,
 * MDB_meta). */
enum { PAGE_BRANCH = 1, PAGE_LEAF = 2, PAGE_OVERFLOW = 4 };
enum { NODE_BIG = 1, NODE_TREE = 2, NODE_HEAD = 8, PAGE_HEAD = 16 };
enum { KEY_MAX = 511, DEPTH_MAX = 32, METAS = 2, TRIES = 20 };
#define NO_PAGE UINT64_MAX
#define MAGIC 0xBEEFC0DEU

struct page_head {
	uint64_t number;
	uint16_t pad, flags, lower, upper; /* lower, upper: a count in overflow pages */
};

struct node_head {
	uint16_t low, high, flags, key_len;
};

struct tree {
	uint32_t pad;
	uint16_t flags, depth;
	uint64_t branches, leaves, overflows, entries, root;
};

struct meta {
	uint32_t magic, version;
	uint64_t address, map_size;
	struct tree trees[2]; /* free pages, main */
	uint64_t last, txnid;
};

struct walk {
	int fd;
	size_t size;         /* of a page */
	uint64_t pages;      /* that the meta page knows */
	uint64_t file_bytes; /* that are there */
	uint8_t *used;       /* owned: a bit for each page */
	struct zl_err *err;
};

/* What is counted and expected in one tree. */
struct tally {
	struct tree found;
	bool is_free, is_main;
};

struct bounds {
	const void *low, *high; /* low <= key < high; NULL: no bound */
	size_t low_len, high_len;
};

static bool bad(const struct walk *walk, uint64_t page, const char *why)
{
	zl_fail(walk->err, ZL_ECORRUPT, "data.mdb: page %llu %s",
		(unsigned long long)page, why);
	return false;
}

/* Take count pages from first on; each may be taken once. */
static bool use(struct walk *walk, uint64_t first, uint64_t count)
{
	if (first < METAS || first >= walk->pages || count > walk->pages - first)
		return bad(walk, first,
			   "is outside of the file that the header describes");
	for (uint64_t i = first; i < first + count; i++) {
		if (walk->used[i / 8] & 1U << i % 8)
			return bad(walk, i, "is in use twice");
		walk->used[i / 8] |= (uint8_t)(1U << i % 8);
	}
	return true;
}

static bool read_at(struct walk *walk, uint64_t page, void *to, size_t len)
{
	if ((page + 1) * walk->size > walk->file_bytes)
		return bad(walk, page, "is missing: the file was truncated");
	if (pread(walk->fd, to, len, (off_t)(page * walk->size)) != (ssize_t)len)
		return bad(walk, page, "cannot be read");
	return true;
}

static bool read_page(struct walk *walk, uint64_t page, void *to)
{
	struct page_head head;

	if (!use(walk, page, 1) || !read_at(walk, page, to, walk->size))
		return false;
	memcpy(&head, to, sizeof(head));
	return head.number == page || bad(walk, page, "carries another number");
}

static int compare(const void *a, size_t a_len, const void *b, size_t b_len)
{
	int order = memcmp(a, b, a_len < b_len ? a_len : b_len);

	return order != 0 ? order : (a_len > b_len) - (a_len < b_len);
}

/* Keys of the tree of free pages are numbers; their order harms nobody. */
static bool in_bounds(const struct tally *tally, const struct bounds *bounds,
		      const uint8_t *key, size_t len)
{
	if (tally->is_free)
		return true;
	return (bounds->low == NULL ||
		compare(key, len, bounds->low, bounds->low_len) >= 0) &&
	       (bounds->high == NULL ||
		compare(key, len, bounds->high, bounds->high_len) < 0);
}

/* The numbers in one list of free pages: count, then the pages. */
static bool free_list(struct walk *walk, uint64_t page, const uint8_t *data, size_t len)
{
	uint64_t count;
	uint64_t number;

	if (len < sizeof(count))
		return bad(walk, page, "has a bad list of free pages");
	memcpy(&count, data, sizeof(count));
	if (count > len / sizeof(number) - 1)
		return bad(walk, page, "has a bad list of free pages");
	for (uint64_t i = 1; i <= count; i++) {
		memcpy(&number, data + i * sizeof(number), sizeof(number));
		if (!use(walk, number, 1))
			return false;
	}
	return true;
}

static bool overflow(struct walk *walk, uint64_t first, size_t len, struct tally *tally)
{
	uint64_t need = (PAGE_HEAD + len + walk->size - 1) / walk->size;
	struct page_head head;
	uint32_t count;
	bool ok = true;

	if (first >= walk->pages || !read_at(walk, first, &head, sizeof(head)))
		return first < walk->pages ? false : use(walk, first, 1);
	memcpy(&count, &head.lower, sizeof(count));
	if (head.number != first || head.flags != PAGE_OVERFLOW || count < need)
		return bad(walk, first, "is not the long value that it should be");
	tally->found.overflows += count;
	if (!use(walk, first, count))
		return false;
	if ((first + count) * walk->size > walk->file_bytes)
		return bad(walk, first, "is cut off: the file was truncated");
	if (tally->is_free) {
		uint8_t *data = zl_alloc(count, walk->size);
		ok = pread(walk->fd, data, count * walk->size,
			   (off_t)(first * walk->size)) ==
			     (ssize_t)(count * walk->size) &&
		     free_list(walk, first, data + PAGE_HEAD, len);
		free(data);
	}
	return ok;
}

static bool check_tree(struct walk *walk, const struct tree *tree, bool is_free,
		       bool is_main);

static bool check_leaf(struct walk *walk, uint64_t page, const struct node_head *node,
		       const uint8_t *data, size_t room, struct tally *tally)
{
	size_t len = node->low | (size_t)node->high << 16;
	struct tree inner;
	uint64_t first;

	tally->found.entries++;
	if (node->flags == NODE_BIG) {
		if (room < sizeof(first))
			return bad(walk, page, "has a node beyond its end");
		memcpy(&first, data, sizeof(first));
		return overflow(walk, first, len, tally);
	}
	if (len > room)
		return bad(walk, page, "has a node beyond its end");
	if (tally->is_free)
		return node->flags == 0 ? free_list(walk, page, data, len)
					: bad(walk, page, "has a node of a wrong kind");
	if (node->flags == 0)
		return true;
	if (node->flags != NODE_TREE || !tally->is_main || len != sizeof(inner))
		return bad(walk, page, "has a node of a wrong kind");
	memcpy(&inner, data, sizeof(inner));
	return check_tree(walk, &inner, false, false);
}

static bool check_page(struct walk *walk, uint64_t page, unsigned depth,
		       struct bounds bounds, struct tally *tally);

/* The node that offset i of the page names; false: it is not within the page. */
static bool node_at(struct walk *walk, uint64_t page, const uint8_t *bytes,
		    const struct page_head *head, unsigned i, struct node_head *node,
		    size_t *at)
{
	uint16_t offset;

	memcpy(&offset, bytes + PAGE_HEAD + 2 * (size_t)i, sizeof(offset));
	*at = (size_t)offset + NODE_HEAD;
	if (offset < head->upper || *at > walk->size)
		return bad(walk, page, "has a node outside of it");
	memcpy(node, bytes + offset, sizeof(*node));
	if (node->key_len > KEY_MAX || *at + node->key_len > walk->size)
		return bad(walk, page, "has a key beyond its end");
	return true;
}

static bool check_nodes(struct walk *walk, uint64_t page, const uint8_t *bytes,
			const struct page_head *head, unsigned depth,
			struct bounds bounds, struct tally *tally)
{
	unsigned count = (head->lower - PAGE_HEAD) / 2U;
	struct node_head node;
	struct node_head next;
	size_t at;
	size_t next_at = 0;

	for (unsigned i = 0; i < count; i++) {
		if (!node_at(walk, page, bytes, head, i, &node, &at) ||
		    (i + 1 < count &&
		     !node_at(walk, page, bytes, head, i + 1, &next, &next_at)))
			return false;
		struct bounds part = bounds;
		if (depth == 1 || i > 0) { /* a branch's first key is not used */
			part.low = bytes + at;
			part.low_len = node.key_len;
			if (!in_bounds(tally, &bounds, bytes + at, node.key_len))
				return bad(walk, page, "has a key out of order");
		}
		if (i + 1 < count) {
			part.high = bytes + next_at;
			part.high_len = next.key_len;
			if (part.low != NULL &&
			    !in_bounds(tally, &part, part.low, part.low_len))
				return bad(walk, page, "has a key out of order");
		}
		uint64_t child =
			node.low | (uint64_t)node.high << 16 | (uint64_t)node.flags << 32;
		size_t data = at + node.key_len;
		if (depth == 1 ? !check_leaf(walk, page, &node, bytes + data,
					     walk->size - data, tally)
			       : !check_page(walk, child, depth - 1, part, tally))
			return false;
	}
	return true;
}

static bool check_page(struct walk *walk, uint64_t page, unsigned depth,
		       struct bounds bounds, struct tally *tally)
{
	uint8_t *bytes = zl_alloc(1, walk->size);
	struct page_head head;
	bool ok = read_page(walk, page, bytes);

	memcpy(&head, bytes, sizeof(head));
	if (ok && (head.flags != (depth == 1 ? PAGE_LEAF : PAGE_BRANCH) ||
		   head.lower < PAGE_HEAD + 2 || head.lower % 2 != 0 ||
		   head.lower > head.upper || head.upper > walk->size))
		ok = bad(walk, page, "has a bad header");
	if (ok && depth == 1)
		tally->found.leaves++;
	else
		tally->found.branches++;
	ok = ok && check_nodes(walk, page, bytes, &head, depth, bounds, tally);
	free(bytes);
	return ok;
}

static bool check_tree(struct walk *walk, const struct tree *tree, bool is_free,
		       bool is_main)
{
	struct tally tally = { .is_free = is_free, .is_main = is_main };

	if (tree->flags != (is_free ? MDB_INTEGERKEY : 0))
		return bad(walk, tree->root, "is the root of a tree of another kind");
	if (tree->root == NO_PAGE)
		return tree->entries == 0 ||
		       bad(walk, 0, "describes a tree without root");
	if (tree->depth == 0 || tree->depth > DEPTH_MAX)
		return bad(walk, tree->root, "is the root of a tree of a wrong depth");
	if (!check_page(walk, tree->root, tree->depth, (struct bounds){ 0 }, &tally))
		return false;
	if (tally.found.entries != tree->entries || tally.found.leaves != tree->leaves ||
	    tally.found.branches != tree->branches ||
	    tally.found.overflows != tree->overflows)
		return bad(walk, tree->root, "is the root of a tree that lacks parts");
	return true;
}

/* The header page of the newest state. The two take turns: even and odd. */
static bool read_metas(struct walk *walk, uint64_t txnid, struct meta *meta)
{
	struct meta both[METAS];

	for (unsigned i = 0; i < METAS; i++)
		if (pread(walk->fd, &both[i], sizeof(both[i]),
			  (off_t)(i * walk->size + PAGE_HEAD)) != sizeof(both[i]))
			return bad(walk, i, "cannot be read");
	uint64_t a = both[0].txnid;
	uint64_t b = both[1].txnid;
	if ((a != 0 || b != 0) &&
	    (a % 2 != 0 || b % 2 != 1 || (a != b + 1 && b != a + 1)))
		return bad(walk, a > b ? 0 : 1, "(header) does not fit the other one");
	*meta = both[txnid % 2];
	return meta->txnid == txnid || bad(walk, txnid % 2, "(header) is not the newest");
}

/* No file is that much shorter than its header says, truncated or not. */
static bool last_fits(uint64_t last, size_t size)
{
	return last < (1ULL << 40) / size;
}

static bool check_file(struct walk *walk, uint64_t txnid)
{
	struct meta meta;
	struct stat file;

	if (fstat(walk->fd, &file) != 0)
		return bad(walk, 0, "cannot be read");
	walk->file_bytes = (uint64_t)file.st_size;
	if (!read_metas(walk, txnid, &meta))
		return false;
	if (!last_fits(meta.last, walk->size))
		return bad(walk, txnid % 2, "(header) has a wrong last page");
	walk->pages = meta.last + 1;
	walk->used = zl_alloc(walk->pages / 8 + 1, 1);
	return check_tree(walk, &meta.trees[1], false, true) &&
	       check_tree(walk, &meta.trees[0], true, false);
}

static bool header_fits(const struct meta *meta, size_t size)
{
	return meta->magic == MAGIC && meta->version == 1 && meta->trees[0].pad == size &&
	       size >= 256 && size <= 65536 && (size & (size - 1)) == 0 &&
	       last_fits(meta->last, size);
}

enum zl_code pages_check_header(const char *dir, struct zl_err *err)
{
	char *path = zl_format("%s/data.mdb", dir);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct meta meta = { 0 };
	bool ok = true;
	size_t size = 0;

	free(path);
	for (size_t i = 0; fd >= 0 && i < METAS && ok; i++) {
		ssize_t n = pread(fd, &meta, sizeof(meta), (off_t)(i * size + PAGE_HEAD));
		if (n <= 0 && i == 0)
			break; /* nothing is there yet: LMDB's to begin */
		if (i == 0)
			size = meta.trees[0].pad;
		ok = n == sizeof(meta) && header_fits(&meta, size);
	}
	if (fd >= 0)
		(void)close(fd);
	return ok ? ZL_OK
		  : zl_fail(err, ZL_ECORRUPT,
			    "data.mdb is not a store's file, or its header is damaged");
}

/* Walk the newest state. Another process may write meanwhile: *moved tells that the
 * header pages went on before they could be read. */
static int check_newest(MDB_env *env, struct walk *walk, bool *ok, bool *moved)
{
	MDB_envinfo info;
	MDB_txn *txn;
	int rc = mdb_txn_begin(env, NULL, MDB_RDONLY, &txn);

	if (rc != 0)
		return rc;
	*ok = check_file(walk, mdb_txn_id(txn));
	(void)mdb_env_info(env, &info);
	*moved = info.me_last_txnid != mdb_txn_id(txn);
	mdb_txn_abort(txn);
	free(walk->used);
	walk->used = NULL;
	return 0;
}

enum zl_code pages_check(MDB_env *env, const char *dir, bool extend, struct zl_err *err)
{
	struct zl_err own = { 0 };
	struct walk walk = { .err = err != NULL ? err : &own };
	MDB_stat stat;
	bool ok = false;
	bool moved = true;

	int rc = mdb_env_stat(env, &stat);
	if (rc == 0)
		rc = mdb_env_get_fd(env, &walk.fd);
	walk.size = stat.ms_psize;
	for (int i = 0; i < TRIES && rc == 0 && !ok && moved; i++)
		rc = check_newest(env, &walk, &ok, &moved);
	if (rc != 0)
		return zl_fail(err, ZL_EIO, "%s/data.mdb: %s", dir, mdb_strerror(rc));
	if (!ok)
		return walk.err->code;
	/* Pages that were freed before they were ever written may be missing at the end;
	 * a hole there is safer than none. */
	uint64_t whole = walk.pages * walk.size;
	if (extend && walk.file_bytes < whole && ftruncate(walk.fd, (off_t)whole) != 0)
		return zl_fail(err, ZL_EIO, "%s/data.mdb cannot be made longer", dir);
	return ZL_OK;
}
