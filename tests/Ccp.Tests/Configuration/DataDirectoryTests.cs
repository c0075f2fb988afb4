using System.Runtime.InteropServices;
using Ccp.Cli;
using Ccp.Configuration;
using Ccp.Tests.Store;

namespace Ccp.Tests.Configuration;

public sealed partial class DataDirectoryTests : IDisposable
{
    private const uint Nobody = 65534;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_directory_of_another_user_is_not_taken_for_an_empty_one()
    {
        Directory.CreateDirectory(_folder["home"], UnixFileMode.None);
        var error = Assert.Throws<UnauthorizedAccessException>(() => AsNobody(() => DataDirectory.RefuseUnseen(_folder["home/ccp.db"])));
        Assert.Contains($"may not look into {_folder["home"]}. Run this as the user that ccp runs as", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_that_is_not_there_is_said_to_be_missing()
    {
        var error = await Assert.ThrowsAsync<CommandFailedException>(() => AdminConnections.OpenAsync(null, null, name => name == "CCP_HOME" ? _folder["none"] : null));
        Assert.Contains("There is no store at", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_configuration_that_cannot_be_read_is_a_problem_without_a_period_that_others_add()
    {
        var problem = Assert.Single(ConfigSource.Load(_folder["my.toml"], DataDirectory.At(_folder["home"]), _ => null).Result.Problems).ToString();
        Assert.Contains("my.toml: cannot be read: ", problem, StringComparison.Ordinal);
        Assert.False(problem.EndsWith('.'));
    }

    [Fact]
    public void A_directory_that_cannot_be_made_is_told_with_the_variable_that_names_it()
    {
        File.WriteAllText(_folder["file"], "");
        Assert.Contains("Set CCP_HOME", Assert.Throws<IOException>(() => DataDirectory.At(_folder["file/home"]).Create()).Message, StringComparison.Ordinal);
    }

    /// <summary>Root may look anywhere: for its looks at files this thread is somebody else. Who is not root stays, and is shut out by the mode.</summary>
    private static void AsNobody(Action look)
    {
        var before = SetFileUser(Nobody);
        try
        {
            look();
        }
        finally
        {
            _ = SetFileUser((uint)before);
        }
    }

    [LibraryImport("libc", EntryPoint = "setfsuid")]
    private static partial int SetFileUser(uint user);
}
