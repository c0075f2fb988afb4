namespace Ccp.Usage;

/// <summary>The usage log as its files lie in a directory: <c>usage.jsonl</c> is the newest, <c>usage.1.jsonl</c> came before it.</summary>
internal static class UsageLogFiles
{
    /// <returns>The oldest first.</returns>
    public static IReadOnlyList<string> In(string directory)
    {
        var files = new List<string>();
        for (var age = 0; Path.Combine(directory, age == 0 ? UsageLog.FileName : $"usage.{age}.jsonl") is var path && File.Exists(path); age++)
        {
            files.Insert(0, path);
        }

        return files;
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
