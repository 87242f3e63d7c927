#include "zone/xds/wire.h"

static bool varint(struct xds_wire *wire, uint64_t *value)
{
	*value = 0;
	for (unsigned shift = 0; shift < 64 && wire->left > 0; shift += 7) {
		uint8_t byte = *wire->at++;
		wire->left--;
		*value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return true;
	}
	return false;
}

static bool skip(struct xds_wire *wire, uint64_t len)
{
	if (len > wire->left)
		return false;
	wire->at += len;
	wire->left -= (size_t)len;
	return true;
}

/* A number of so many bytes, the smallest first. */
static bool fixed(struct xds_wire *wire, size_t size, uint64_t *value)
{
	const uint8_t *at = wire->at;

	*value = 0;
	if (!skip(wire, size))
		return false;
	for (size_t i = size; i-- > 0;)
		*value = *value << 8 | at[i];
	return true;
}

static bool body(struct xds_wire *wire, struct xds_field *field)
{
	uint64_t value;

	switch (field->type) {
	case XDS_WIRE_VARINT:
		return varint(wire, &field->value);
	case XDS_WIRE_64:
		return fixed(wire, 8, &field->value);
	case XDS_WIRE_32:
		return fixed(wire, 4, &field->value);
	case XDS_WIRE_BYTES:
		if (!varint(wire, &value))
			return false;
		field->data = wire->at;
		field->len = (size_t)value;
		return skip(wire, value);
	}
	return false;
}

enum xds_wire_step xds_wire_next(struct xds_wire *wire, struct xds_field *field)
{
	uint64_t head;

	if (wire->left == 0)
		return XDS_WIRE_END;
	if (!varint(wire, &head) || head >> 3 == 0 || head >> 3 > (1U << 29) - 1)
		return XDS_WIRE_BAD;
	*field = (struct xds_field){ .number = (uint32_t)(head >> 3),
				     .type = (enum xds_wire_type)(head & 7) };
	return body(wire, field) ? XDS_WIRE_FIELD : XDS_WIRE_BAD;
}

/* How many bytes the character at data has; 0: none that UTF-8 allows. */
static size_t utf8_char(const uint8_t *data, size_t len)
{
	uint8_t lead = data[0];
	size_t size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;

	if (size == 1)
		return lead == 0 ? 0 : 1;
	if (lead < 0xc2 || lead > 0xf4 || size > len)
		return 0;
	for (size_t i = 1; i < size; i++)
		if ((data[i] & 0xc0) != 0x80)
			return 0;
	if ((lead == 0xe0 && data[1] < 0xa0) || (lead == 0xed && data[1] > 0x9f) ||
	    (lead == 0xf0 && data[1] < 0x90) || (lead == 0xf4 && data[1] > 0x8f))
		return 0; /* too long a form, half a pair, beyond U+10FFFF */
	return size;
}

bool xds_text_ok(const uint8_t *data, size_t len)
{
	while (len > 0) {
		size_t size = utf8_char(data, len);
		if (size == 0)
			return false;
		data += size;
		len -= size;
	}
	return true;
}

static size_t varint_size(uint64_t value)
{
	size_t size = 1;

	while ((value >>= 7) > 0)
		size++;
	return size;
}

static void put_varint(struct zl_buf *buf, uint64_t value)
{
	char bytes[10];
	size_t len = 0;

	for (; value >= 0x80; value >>= 7)
		bytes[len++] = (char)(value | 0x80);
	bytes[len++] = (char)value;
	zl_buf_add(buf, bytes, len);
}

void xds_wire_put_head(struct zl_buf *buf, uint32_t number, size_t len)
{
	put_varint(buf, (uint64_t)number << 3 | XDS_WIRE_BYTES);
	put_varint(buf, len);
}

void xds_wire_put_number(struct zl_buf *buf, uint32_t number, uint64_t value)
{
	put_varint(buf, (uint64_t)number << 3 | XDS_WIRE_VARINT);
	put_varint(buf, value);
}

void xds_wire_put(struct zl_buf *buf, uint32_t number, const void *data, size_t len)
{
	xds_wire_put_head(buf, number, len);
	zl_buf_add(buf, data, len);
}

size_t xds_wire_size(uint32_t number, size_t len)
{
	return varint_size((uint64_t)number << 3) + varint_size(len) + len;
}
