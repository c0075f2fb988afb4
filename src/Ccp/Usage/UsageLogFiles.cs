using System.Globalization;

namespace Ccp.Usage;

/// <summary>The usage log as its files lie in a directory: <c>usage.jsonl</c> is the newest, <c>usage.1.jsonl</c> came before it.</summary>
internal static class UsageLogFiles
{
    /// <returns>The oldest first.</returns>
    public static IReadOnlyList<string> In(string directory)
    {
        if (!Directory.Exists(directory))
        {
            return [];
        }

        // Whichever are there: the newest is missing until something is written after a rotation, and any may have been taken away.
        return [.. Directory.EnumerateFiles(directory, "usage*.jsonl").Select(path => (Path: path, Age: AgeOf(path))).Where(file => file.Age >= 0).OrderByDescending(file => file.Age).Select(file => file.Path)];
    }

    /// <returns>0 for the newest; -1 for what is no file of the log.</returns>
    private static int AgeOf(string path)
    {
        var name = Path.GetFileName(path);
        return name == UsageLog.FileName ? 0
            : int.TryParse(name.AsSpan("usage.".Length, Math.Max(0, name.Length - "usage..jsonl".Length)), NumberStyles.None, CultureInfo.InvariantCulture, out var age) && name == $"usage.{age}.jsonl" ? age
            : -1;
    }

    /// <summary>Reads every line. A last line that is still being written is left for another time.</summary>
    /// <exception cref="IOException">A file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">As above.</exception>
    public static void ReadInto(UsageAudit audit, IReadOnlyList<string> files)
    {
        foreach (var path in files)
        {
            using var file = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
            var name = Path.GetFileName(path);
            for (var line = 1L; file.ReadLine() is { } text; line++)
            {
                var isUnfinished = !text.EndsWith('}') && file.Peek() < 0 && path == files[^1];
                if (!isUnfinished && text.Length > 0)
                {
                    audit.Read(name, line, text);
                }
            }
        }
    }
}
