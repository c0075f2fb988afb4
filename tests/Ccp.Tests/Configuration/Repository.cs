namespace Ccp.Tests.Configuration;

/// <summary>Where the sources lie, seen from the test executable.</summary>
internal static class Repository
{
    /// <summary>The folder of the solution file.</summary>
    public static readonly string Root = Find();

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "ClaudeProxy.sln")))
            {
                return folder.FullName;
            }
        }

        throw new DirectoryNotFoundException($"No folder above {AppContext.BaseDirectory} holds ClaudeProxy.sln.");
    }
}
