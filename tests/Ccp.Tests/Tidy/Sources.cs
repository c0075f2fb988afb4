using System.Text.RegularExpressions;
using Ccp.Tests.Configuration;

namespace Ccp.Tests.Tidy;

/// <summary>The files of src/Ccp, as text.</summary>
internal static partial class Sources
{
    private static readonly string Root = Path.Combine(Repository.Root, "src", "Ccp");

    /// <summary>By path below src/Ccp.</summary>
    public static IReadOnlyList<(string Path, string Text)> All { get; } =
    [
        .. Directory.GetFiles(Root, "*.cs", SearchOption.AllDirectories)
            .Select(file => (Path.GetRelativePath(Root, file), File.ReadAllText(file)))
            .Where(file => !file.Item1.StartsWith("obj/", StringComparison.Ordinal) && !file.Item1.StartsWith("bin/", StringComparison.Ordinal))
            .OrderBy(file => file.Item1, StringComparer.Ordinal),
    ];

    /// <summary>The top folder; empty for files beside the folders.</summary>
    public static string FolderOf(string path) => path.Contains('/', StringComparison.Ordinal) ? path[..path.IndexOf('/', StringComparison.Ordinal)] : "";

    /// <summary>Without comments, so that a word in one is no use of it.</summary>
    public static string Code(string text) => Comment().Replace(text, "");

    [GeneratedRegex(@"(?m)^\s*//.*$|(?<=[\s;{])// .*$")]
    private static partial Regex Comment();
}
