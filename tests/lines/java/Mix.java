// The planted lines in Java: Mix TRUTH PARTNER SECONDS. Its methods' names come from a perf map.
import java.io.FileWriter;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import javax.management.ObjectName;

public class Mix {
    static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
    static final int ROUNDS_OF_WARMING = 40;
    static final String[] SECTIONS = {"HOT", "OTHER", "WAIT", "WAIT2", "OTHER_WAIT"};
    static final long[] cpuNs = new long[SECTIONS.length], waitNs = new long[SECTIONS.length];

    interface Section {
        long run() throws Exception;
    }

    static long section(int which, Section what) throws Exception {
        long wall = System.nanoTime(), cpu = THREADS.getCurrentThreadCpuTime();
        long result = what.run();
        cpu = THREADS.getCurrentThreadCpuTime() - cpu;
        cpuNs[which] += cpu;
        waitNs[which] += Math.max(System.nanoTime() - wall - cpu, 0);
        return result;
    }

    static long hot(long x, int count) {
        for (int i = 0; i < count; i++) {
            x = (x * 6364136223846793005L ^ x >>> 7) * 2862933555777941757L ^ i; // HOT
        }
        return x;
    }

    static long other(int count) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < count; i++) text.append(i);
        return text.toString().hashCode();
    }

    static long waitHere(Socket partner) throws Exception {
        byte[] question = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(5000).array();
        partner.getOutputStream().write(question);
        return partner.getInputStream().read(); // WAIT
    }

    // The JVM writes /tmp/perf-PID.map when told to, with the methods that are compiled by then.
    static void writePerfMap() throws Exception {
        ObjectName command = new ObjectName("com.sun.management:type=DiagnosticCommand");
        ManagementFactory.getPlatformMBeanServer().invoke(command, "compilerPerfmap", null, null);
    }

    public static void main(String[] arguments) throws Exception {
        long end = System.nanoTime() + (long) (Double.parseDouble(arguments[2]) * 1e9);
        long sum = 1;
        int rounds = 0;
        try (Socket partner = new Socket("127.0.0.1", Integer.parseInt(arguments[1]))) {
            partner.setTcpNoDelay(true);
            while (System.nanoTime() < end) {
                final long before = sum;
                sum = section(0, () -> hot(before, 3_000_000));
                sum += section(1, () -> other(20_000));
                sum += section(2, () -> waitHere(partner));
                if (++rounds == ROUNDS_OF_WARMING) writePerfMap();
            }
        }
        try (FileWriter file = new FileWriter(arguments[0], true)) {
            StringBuilder text = new StringBuilder();
            for (int i = 0; i < SECTIONS.length; i++) {
                text.append(String.format("%s\"%s\": {\"cpu_s\": %f, \"wait_s\": %f}", i == 0 ? "{" : ", ",
                    SECTIONS[i], cpuNs[i] / 1e9, waitNs[i] / 1e9));
            }
            file.write(text + "}\n");
        }
        System.out.println(sum);
    }
}
