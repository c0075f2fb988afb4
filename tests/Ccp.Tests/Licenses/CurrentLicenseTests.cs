using System.Text;
using Ccp.Cli;
using Ccp.Licenses;
using Ccp.Tests.Shared;
using Ccp.Tests.Store;

namespace Ccp.Tests.Licenses;

public sealed class CurrentLicenseTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly ManualClock _clock = new();
    private readonly LogLines _log = new();
    private readonly List<CurrentLicense> _opened = [];

    private string Path => _folder["license.pack"];

    public void Dispose()
    {
        _opened.ForEach(license => license.Dispose());
        _folder.Dispose();
    }

    [Fact]
    public void Without_a_license_nothing_is_granted_and_nobody_is_alarmed()
    {
        var license = Open();

        Assert.False(license.Grants("zai_offload", _clock.GetUtcNow()));
        Assert.Equal("there is no license", license.Look().Reason);
        Assert.Equal(["Information: Community edition: there is no license"], _log.All);
    }

    [Fact]
    public void An_activated_license_counts_at_once_and_after_a_restart()
    {
        var license = Open();

        Assert.Null(Activate(license, Pack()));
        Assert.True(license.Grants("zai_offload", _clock.GetUtcNow()));
        Assert.False(license.Grants("another", _clock.GetUtcNow()));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path));
        Assert.Equal("pro", Open().Look().Claims?.Plan);
        Assert.Equal([Path], Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void A_bad_license_over_a_good_one_is_refused_with_the_reason_and_the_good_one_stands()
    {
        var license = Open();
        Activate(license, Pack());
        var kept = File.ReadAllText(Path);

        Assert.Contains("the signature is not over this license", Activate(license, IssuedLicense.Tampered(Pack())), StringComparison.Ordinal);
        Assert.Contains("not a license", Activate(license, "{}"), StringComparison.Ordinal);
        Assert.Contains("expired", Activate(license, IssuedLicense.Pack(_clock.GetUtcNow().AddDays(-40))), StringComparison.Ordinal);
        Assert.Contains("no license", Activate(license, " \n"), StringComparison.Ordinal);
        Assert.True(license.Grants("zai_offload", _clock.GetUtcNow()));
        Assert.Equal(kept, File.ReadAllText(Path));
    }

    [Fact]
    public void A_license_that_cannot_be_kept_is_not_taken_up()
    {
        var license = Open(path: _folder["missing/license.pack"]);

        Assert.ThrowsAny<IOException>(() => Activate(license, Pack()));
        Assert.False(license.Grants("zai_offload", _clock.GetUtcNow()));
    }

    [Fact]
    public void Deactivating_goes_back_to_the_community_edition()
    {
        var license = Open();
        Activate(license, Pack());

        Assert.Null(license.Deactivate());
        Assert.False(license.Grants("zai_offload", _clock.GetUtcNow()));
        Assert.False(File.Exists(Path));
        Assert.Null(license.Deactivate());
    }

    [Fact]
    public void Expiry_counts_to_the_tick_and_is_noticed_while_running()
    {
        var license = Open();
        Activate(license, Pack(days: 1));
        var end = _clock.GetUtcNow().AddDays(1);

        Assert.True(license.Grants("zai_offload", end.AddTicks(-1)));
        Assert.False(license.Grants("zai_offload", end));
        Assert.DoesNotContain(_log.All, line => line.Contains("expired", StringComparison.Ordinal));

        _clock.Advance(TimeSpan.FromDays(1));
        Assert.Contains($"Warning: Community edition: the license has expired (on {LicenseWords.Moment(end)}); activate a new one", _log.All);
        Assert.Contains("expired", license.Look().Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Fourteen_days_ahead_a_warning_is_given_once_a_day()
    {
        var license = Open();
        Activate(license, Pack(days: 16));
        _clock.Advance(TimeSpan.FromDays(1.9));
        Assert.Empty(Warnings());
        Assert.Null(license.Look().Warning);

        _clock.Advance(TimeSpan.FromDays(0.2));
        Assert.Equal("Warning: The license expires in 14 days, on 2026-12-08 12:00:00 UTC. Activate a new one before; after that ccp goes on as the Community edition.", Assert.Single(Warnings()));

        _clock.Advance(TimeSpan.FromDays(2));
        Assert.Equal(3, Warnings().Count);
        Assert.Contains("in 12 days", license.Look().Warning, StringComparison.Ordinal);

        IReadOnlyList<string> Warnings() => [.. _log.All.Where(line => line.StartsWith("Warning", StringComparison.Ordinal))];
    }

    [Fact]
    public void A_key_that_the_build_does_not_trust_is_told_with_what_would_make_it()
    {
        Assert.Contains("CcpLicenseKeys", LicenseWords.Of(Ccp.Licensing.LicenseProblem.KeyUnknown), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(14 * 24 * 3600, "in 14 days")]
    [InlineData(24 * 3600 + 1, "in 2 days")]
    [InlineData(24 * 3600, "within a day")]
    [InlineData(3600, "within an hour")]
    [InlineData(12, "within a minute")]
    public void How_soon_a_license_ends_is_told_in_words_that_fit(int seconds, string words)
    {
        Assert.StartsWith($"The license expires {words}, on ", LicenseWords.Expiry(TimeSpan.FromSeconds(seconds), _clock.GetUtcNow()), StringComparison.Ordinal);
    }

    [Fact]
    public void A_license_whose_time_comes_while_running_is_taken_up()
    {
        File.WriteAllText(Path, IssuedLicense.Pack(_clock.GetUtcNow(), notBefore: _clock.GetUtcNow().AddHours(2)));
        var license = Open();
        Assert.Contains($"not valid yet (from {LicenseWords.Moment(_clock.GetUtcNow().AddHours(2))})", license.Look().Reason, StringComparison.Ordinal);

        _clock.Advance(TimeSpan.FromHours(2) + TimeSpan.FromMinutes(1));

        Assert.True(license.Grants("zai_offload", _clock.GetUtcNow()));
        Assert.Contains(_log.All, line => line.StartsWith("Information: License: plan pro", StringComparison.Ordinal));
    }

    [Fact]
    public void What_is_logged_names_the_license_and_not_whom_it_is_for()
    {
        var signed = IssuedLicense.Signed(_clock.GetUtcNow());
        var license = Open();
        Activate(license, signed.Pack);
        Activate(license, IssuedLicense.Tampered(signed.Pack));
        license.Deactivate();

        Assert.Contains("Information: License: plan pro, features zai_offload, until 2026-12-22 12:00:00 UTC, key test", _log.All);
        Assert.DoesNotContain(_log.All, line => line.Contains(IssuedLicense.Subject, StringComparison.Ordinal) || line.Contains(signed.Signature, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("")]
    [InlineData("not a pack")]
    [InlineData("""{"license":{},"signature":""}""")]
    public void Whatever_lies_in_the_file_ccp_starts(string content)
    {
        File.WriteAllText(Path, content);

        Assert.NotNull(Open().Look().Reason);
    }

    [Fact]
    public void A_file_that_cannot_be_read_is_a_reason_and_no_failure()
    {
        File.WriteAllText(Path, new string('{', 70_000));

        Assert.EndsWith("license.pack is too long for a license", Open().Look().Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_license_for_this_host_counts_and_one_for_another_does_not()
    {
        var license = Open();

        Assert.Null(Activate(license, IssuedLicense.Pack(_clock.GetUtcNow(), device: license.Device)));
        Assert.Contains("another host", Activate(license, IssuedLicense.Pack(_clock.GetUtcNow(), device: Convert.ToBase64String(new byte[32]))), StringComparison.Ordinal);
    }

    [Fact]
    public void The_environment_decides_before_the_file_and_cannot_be_activated_over()
    {
        Activate(Open(), Pack());
        var license = Open(("CC_LICENSE_PACK", IssuedLicense.Pack(_clock.GetUtcNow(), plan: "enterprise")));

        Assert.Equal("enterprise", license.Look().Claims?.Plan);
        Assert.Equal("CC_LICENSE_PACK", license.SourceName);
        Assert.Contains("CC_LICENSE_PACK in ccp's environment", Activate(license, Pack()), StringComparison.Ordinal);
        Assert.Contains("CC_LICENSE_PACK in ccp's environment", license.Deactivate(), StringComparison.Ordinal);
        Assert.True(File.Exists(Path));
    }

    [Fact]
    public void A_variable_may_hold_the_thing_itself_or_a_files_path()
    {
        var signed = IssuedLicense.Signed(_clock.GetUtcNow());
        File.WriteAllText(_folder["a.pack"], signed.Pack + "\n");
        File.WriteAllText(_folder["license.json"], signed.License + "\n");
        File.WriteAllText(_folder["license.sig"], signed.Signature + "\n");

        Assert.NotNull(Open(("CC_LICENSE_PACK", _folder["a.pack"])).Look().Claims);
        Assert.NotNull(Open(("CC_LICENSE_JSON", signed.License), ("CC_LICENSE_SIG", signed.Signature)).Look().Claims);
        Assert.NotNull(Open(("CC_LICENSE_JSON", _folder["license.json"]), ("CC_LICENSE_SIG", _folder["license.sig"])).Look().Claims);
    }

    [Theory]
    [InlineData("utf-8")]
    [InlineData("utf-16")]
    public void A_file_is_read_with_a_byte_order_mark_as_ccp_license_activate_reads_it(string encoding)
    {
        var signed = IssuedLicense.Signed(_clock.GetUtcNow());
        File.WriteAllText(_folder["a.pack"], signed.Pack + "\n", Encoding.GetEncoding(encoding));
        File.WriteAllText(_folder["license.json"], signed.License + "\n", Encoding.GetEncoding(encoding));
        File.WriteAllText(_folder["license.sig"], signed.Signature + "\n", Encoding.GetEncoding(encoding));

        Assert.NotNull(Open(("CC_LICENSE_PACK", _folder["a.pack"])).Look().Claims);
        Assert.NotNull(Open(("CC_LICENSE_JSON", _folder["license.json"]), ("CC_LICENSE_SIG", _folder["license.sig"])).Look().Claims);
        Assert.Equal(signed.Pack + "\n", PackSource.Read(_folder["a.pack"], TextReader.Null));
        Assert.Equal(signed.Pack, PackSource.Read(_folder["license.json"], TextReader.Null));
    }

    [Fact]
    public void What_a_variable_holds_is_not_repeated()
    {
        var license = Open(("CC_LICENSE_PACK", "license\":{secret"));

        Assert.StartsWith("CC_LICENSE_PACK holds neither", license.Look().Reason, StringComparison.Ordinal);
        Assert.DoesNotContain(_log.All, line => line.Contains("secret", StringComparison.Ordinal));
    }

    [Fact]
    public void A_license_without_its_signature_is_a_reason()
    {
        Assert.Equal("CC_LICENSE_JSON and CC_LICENSE_SIG are set together or not at all", Open(("CC_LICENSE_SIG", "x")).Look().Reason);
    }

    private string Pack(double days = 30) => IssuedLicense.Pack(_clock.GetUtcNow(), days);

    private static string? Activate(CurrentLicense license, string pack) => license.Activate(Encoding.UTF8.GetBytes(pack));

    private CurrentLicense Open(params (string Name, string Value)[] environment) => Open(Path, environment);

    private CurrentLicense Open(string path, params (string Name, string Value)[] environment)
    {
        var values = environment.ToDictionary(pair => pair.Name, pair => pair.Value);
        var license = new CurrentLicense(new LicenseSource(path, values.GetValueOrDefault), IssuedLicense.Keys, _clock, _log);
        _opened.Add(license);
        return license;
    }
}
