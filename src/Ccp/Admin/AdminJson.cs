using System.Text.Json;
using System.Text.Json.Serialization;
using Ccp.Pricing;
using Ccp.Usage;

namespace Ccp.Admin;

/// <summary>The JSON of every answer, generated at build time. All that is not ASCII is escaped: an answer is safe to show on a terminal.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, Converters = [typeof(NanoUsdConverter)])]
[JsonSerializable(typeof(ErrorView))]
[JsonSerializable(typeof(StatusView))]
[JsonSerializable(typeof(ReadyView))]
[JsonSerializable(typeof(TokenView))]
[JsonSerializable(typeof(Dictionary<string, UserView>))]
[JsonSerializable(typeof(UserChangeView))]
[JsonSerializable(typeof(BalanceView))]
[JsonSerializable(typeof(BalanceChangeView))]
[JsonSerializable(typeof(OwnUsageView))]
[JsonSerializable(typeof(Dictionary<string, UserUsageView>))]
[JsonSerializable(typeof(List<UsageGroupView>))]
[JsonSerializable(typeof(List<LedgerLine>))]
[JsonSerializable(typeof(LedgerVerdictView))]
[JsonSerializable(typeof(BackupView))]
[JsonSerializable(typeof(StoreCheckView))]
[JsonSerializable(typeof(LicenseView))]
[JsonSerializable(typeof(LanesView))]
[JsonSerializable(typeof(ReloadView))]
[JsonSerializable(typeof(DoctorView))]
[JsonSerializable(typeof(UsageVerdictView))]
[JsonSerializable(typeof(List<RequestLine>))]
[JsonSerializable(typeof(ReceiptView))]
[JsonSerializable(typeof(RefundView))]
[JsonSerializable(typeof(List<PriceRowView>))]
[JsonSerializable(typeof(PriceExplanationView))]
[JsonSerializable(typeof(RerateView))]
[JsonSerializable(typeof(SavingsView))]
[JsonSerializable(typeof(LaneReportView))]
[JsonSerializable(typeof(QuotasView))]
internal sealed partial class AdminJson : JsonSerializerContext;

/// <summary>Dollars as a decimal number, digit for digit.</summary>
internal sealed class NanoUsdConverter : JsonConverter<NanoUsd>
{
    public override NanoUsd Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        throw new NotSupportedException("Amounts are read by AdminBody.");

    public override void Write(Utf8JsonWriter writer, NanoUsd value, JsonSerializerOptions options) => writer.WriteNumberValue(value.ToUsd());
}
