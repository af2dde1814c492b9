/* Work for one line: hundreds of dependent steps, so that its loop's own line gets next to nothing.
 */
#ifndef LINES_STEPS_H
#define LINES_STEPS_H

#define STEP(x)	   ((x)*6364136223846793005u ^ 1442695040888963407u)
#define STEP4(x)   STEP(STEP(STEP(STEP(x))))
#define STEP16(x)  STEP4(STEP4(STEP4(STEP4(x))))
#define STEP64(x)  STEP16(STEP16(STEP16(STEP16(x))))
#define STEP256(x) STEP64(STEP64(STEP64(STEP64(x))))

#endif
