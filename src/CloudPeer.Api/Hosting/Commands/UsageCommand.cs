using System.Text.Json;
using CloudPeer.Api.Hosting.Settings;
using CloudPeer.Sync.Relay;
using Tlfs.Core;

namespace CloudPeer.Api.Hosting.Commands;

/// <summary><c>cloudpeer usage check</c> (docs/operations/tenants.md): the nightly check, now.</summary>
internal static class UsageCommand
{
    /// <exception cref="TlfsException"><see cref="Reason.Internal"/>: a counter is wrong still; or a database cannot be used.</exception>
    public static async Task CheckAsync(ServerSettings settings, TimeProvider clock, TextWriter output, bool repair, bool json, CancellationToken cancellationToken)
    {
        await using var scope = await OperatorScope.OpenAsync(settings, clock, cancellationToken);
        var report = await new UsageAudit(scope.Store, clock).RunAsync(repair, cancellationToken);
        foreach (var each in report.Differences) await output.WriteLineAsync(Text(each, json).AsMemory(), cancellationToken);
        var wrong = report.Differences.Count(each => !each.IsRepaired);
        await output.WriteLineAsync((json
            ? JsonSerializer.Serialize(new { documents = report.Documents, tenants = report.Tenants, differences = report.Differences.Count, wrong })
            : $"{report.Documents} documents of {report.Tenants} tenants counted, {report.Differences.Count} counters differed.").AsMemory(), cancellationToken);
        if (wrong > 0) throw new TlfsException(Reason.Internal, $"{wrong} counters are not what the tables say{(repair ? "" : "; correct them with --repair")}");
    }

    private static string Text(UsageDifference each, bool json)
    {
        var (tenant, document) = (each.Tenant.ToString(), each.Document?.ToString());
        return json
            ? JsonSerializer.Serialize(new { tenant, document, stored = each.StoredBytes, counted = each.CountedBytes, repaired = each.IsRepaired })
            : $"{tenant}  {document ?? "(all documents)"}  {each.StoredBytes} bytes by the counter, {each.CountedBytes} by the tables{(each.IsRepaired ? ", repaired" : "")}";
    }
}
