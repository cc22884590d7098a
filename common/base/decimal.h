/* Doubles as decimal text. */
#ifndef LINNET_BASE_DECIMAL_H
#define LINNET_BASE_DECIMAL_H

/* What printf makes of %.17g in the C locale, for values from a thousandth to 10^15 (of either sign), many
 * times faster. Returns its length; terminated. 0: another value, nothing was written. Any thread. */
int linnet_decimal17(double value, char out[32]);

#endif
