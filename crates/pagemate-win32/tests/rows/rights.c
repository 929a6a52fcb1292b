#include "rows.h"
const Row right_rows[] = { {0, NULL, NULL}, };
