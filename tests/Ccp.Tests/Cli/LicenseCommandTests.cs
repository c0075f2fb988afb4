using System.CommandLine;
using System.Text;
using Ccp.Cli;
using Ccp.Licenses;
using Ccp.Licensing;
using Ccp.Tests.Shared;
using Ccp.Tests.Store;

namespace Ccp.Tests.Cli;

public sealed class LicenseCommandTests : IDisposable
{
    private static readonly DateTimeOffset Now = TimeProvider.System.GetUtcNow();

    private readonly TempFolder _folder = new();
    private readonly RootCommand _root;

    public LicenseCommandTests()
    {
        _root = new RootCommand { LicenseCommands.Build(name => name == "CCP_HOME" ? _folder["home"] : null, IssuedLicense.Keys) };
    }

    private string Kept => _folder["home/license.pack"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_license_may_come_before_the_first_start()
    {
        var pack = IssuedLicense.Pack(Now);

        Assert.Equal(ExitCodes.Ok, await RunAsync("license", "activate", pack));
        Assert.Equal(pack, File.ReadAllText(Kept).Trim());
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Kept));
        Assert.Equal(ExitCodes.Ok, await RunAsync("license", "status"));
        Assert.Equal(ExitCodes.Ok, await RunAsync("license", "deactivate"));
        Assert.False(File.Exists(Kept));
        Assert.Equal(ExitCodes.Ok, await RunAsync("license", "status", "--json"));
    }

    [Fact]
    public async Task Where_no_ccp_runs_that_is_said_and_only_an_activation_makes_the_data_directory()
    {
        string? Lookup(string name) => name == "CCP_HOME" ? _folder["home"] : null;
        var said = new List<string>();
        await (await LicenseCommands.Opening(Lookup, IssuedLicense.Keys, said.Add)(null, null)).DisposeAsync();
        Assert.Equal([$"No ccp runs with the data directory {_folder["home"]}; its next start reads this."], said);

        Assert.Equal(ExitCodes.Ok, await RunAsync("license", "status"));
        Assert.Equal(ExitCodes.Ok, await RunAsync("license", "deactivate"));
        Assert.False(Directory.Exists(_folder["home"]));
        Assert.Equal(ExitCodes.Ok, await RunAsync("license", "activate", IssuedLicense.Pack(Now)));
        Assert.True(Directory.Exists(_folder["home"]));
    }

    [Fact]
    public async Task A_bad_license_fails_and_the_one_before_stays()
    {
        var good = IssuedLicense.Pack(Now);
        await RunAsync("license", "activate", good);

        Assert.Equal(ExitCodes.Failed, await RunAsync("license", "activate", IssuedLicense.Tampered(good)));
        Assert.Equal(good, File.ReadAllText(Kept).Trim());
    }

    [Fact]
    public async Task A_license_and_its_signature_in_two_files_are_activated_by_the_first()
    {
        var signed = IssuedLicense.Signed(Now);
        File.WriteAllText(_folder["license.json"], signed.License + "\n");
        File.WriteAllText(_folder["license.sig"], signed.Signature + "\n");

        Assert.Equal(ExitCodes.Ok, await RunAsync("license", "activate", _folder["license.json"]));
        Assert.Equal(signed.Pack, File.ReadAllText(Kept).Trim());
    }

    [Fact]
    public void A_license_whose_signature_is_missing_is_told_so()
    {
        File.WriteAllText(_folder["license.json"], IssuedLicense.Signed(Now).License);

        Assert.Contains($"there is no {_folder["license.sig"]}", Assert.Throws<WrongUsageException>(() => PackSource.Read(_folder["license.json"], TextReader.Null)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_pack_is_read_from_the_argument_a_file_or_standard_input()
    {
        File.WriteAllText(_folder["a.pack"], "{\"license\":1}");

        Assert.Equal("{\"license\":1}", PackSource.Read(_folder["a.pack"], TextReader.Null));
        Assert.Equal(" {}", PackSource.Read(" {}", TextReader.Null));
        Assert.Equal("{}\n", PackSource.Read("-", new StringReader("\uFEFF{}\n")));
        Assert.Throws<WrongUsageException>(() => PackSource.Read("-", new StringReader(" \n")));
        Assert.Throws<WrongUsageException>(() => PackSource.Read(_folder["missing"], TextReader.Null));
        Assert.Throws<WrongUsageException>(() => PackSource.Read("", TextReader.Null));
        Assert.Equal("/dev/zero is too long for a license.", Assert.Throws<WrongUsageException>(() => PackSource.Read("/dev/zero", TextReader.Null)).Message);
    }

    [Fact]
    public async Task A_key_is_made_once_for_its_owner_only_and_signs_what_its_public_half_verifies()
    {
        var path = _folder["license.key"];
        Assert.Equal(ExitCodes.Ok, await RunAsync("license", "keygen", "--key", path, "--kid", "2026a"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        Assert.Equal(ExitCodes.Failed, await RunAsync("license", "keygen", "--key", path));

        var key = LicenseIssueCommands.ReadKey(path);
        var pack = LicenseIssueCommands.Sign(key, "pro", ["zai_offload"], 365, "ann", "this").Pack;
        Assert.Equal("2026a", key.Id);
        Assert.Null(LicenseLoginCommand.ProblemOf(Encoding.UTF8.GetBytes(pack), TrustedKeys.Parse(key.PublicText), HostDevice.Id));
        Assert.Equal(ExitCodes.Ok, await RunAsync("license", "issue", "--key", path, "--plan", "pro", "--days", "1"));
    }

    [Fact]
    public void A_key_that_others_can_read_is_refused()
    {
        File.WriteAllText(_folder["license.key"], IssuedLicense.Key.PrivateText());
        File.SetUnixFileMode(_folder["license.key"], UnixFileMode.UserRead | UnixFileMode.GroupRead);

        Assert.Contains("chmod 600", Assert.Throws<WrongUsageException>(() => LicenseIssueCommands.ReadKey(_folder["license.key"])).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("p lan", "x", 1, "s", null)]
    [InlineData("pro", "a,b", 1, "s", null)]
    [InlineData("pro", "x", 0, "s", null)]
    [InlineData("pro", "x", 40_000, "s", null)]
    [InlineData("pro", "x", 1, "a\nb", null)]
    [InlineData("pro", "x", 1, "", null)]
    [InlineData("pro", "x", 1, "s", "host")]
    public void What_no_license_can_say_is_wrong_usage(string plan, string feature, int days, string subject, string? device)
    {
        Assert.Throws<WrongUsageException>(() => LicenseIssueCommands.Sign(IssuedLicense.Key, plan, [feature], days, subject, device));
    }

    [Theory]
    [InlineData("http://licenses.example")]
    [InlineData("ftp://licenses.example")]
    [InlineData("licenses.example")]
    public async Task An_invite_crosses_no_network_in_the_clear(string issuer)
    {
        Assert.Equal(ExitCodes.WrongUsage, await RunAsync("license", "login", "--issuer", issuer));
    }

    [Theory]
    [InlineData("0.0.0.0:8083", null, false)]
    [InlineData("0.0.0.0:8083", "http://licenses.example", false)]
    [InlineData("0.0.0.0:8083", "https://licenses.example", true)]
    [InlineData("127.0.0.1:8083", null, true)]
    [InlineData("unix:/run/issuer.sock", null, false)]
    public void An_issuer_listens_in_the_clear_on_its_own_host_only(string listen, string? url, bool isRight)
    {
        Assert.Equal(isRight, Record.Exception(() => LicenseIssuerCommand.EndPointOf(listen, url, out _)) is null);
    }

    [Theory]
    [InlineData("10.0.0.0/8", true)]
    [InlineData("2001:db8::1", true)]
    [InlineData("10.1.2.3/8", false)]
    [InlineData("proxy.example", false)]
    public void A_trusted_proxy_is_a_range_of_addresses(string range, bool isRight)
    {
        Assert.Equal(isRight, Record.Exception(() => LicenseIssuerCommand.RangesOf([range])) is null);
    }

    private Task<int> RunAsync(params string[] args) => _root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
}
