using System.Net.Sockets;
using CloudPeer.Api.Data;
using CloudPeer.Api.Hosting.Settings;
using Microsoft.AspNetCore.Connections;
using Tlfs.Core;

namespace CloudPeer.Api.Hosting;

/// <summary>Says in one sentence why a server did not start.</summary>
internal static class StartupFailure
{
    /// <summary>Opens a database, and turns what it says into a refusal.</summary>
    public static async Task<T> ExplainDatabase<T>(Func<Task<T>> open, ServerSettings settings)
    {
        try
        {
            return await open();
        }
        catch (Exception e) when (DatabaseFailure.IsUnavailable(e) || e is System.Data.Common.DbException)
        {
            var which = settings.PostgresConnection is null ? $"the database in {settings.DataDir}" : $"the database of {SettingCatalog.DatabaseUrl.Variable}";
            throw new TlfsException(Reason.Unavailable, $"{which} cannot be used: {Innermost(e).Message.ReplaceLineEndings(" ")}", e);
        }
    }

    /// <inheritdoc cref="ExplainDatabase{T}" />
    public static Task ExplainDatabase(Func<Task> open, ServerSettings settings) => ExplainDatabase<object?>(
        async () =>
        {
            await open();
            return null;
        },
        settings);

    /// <summary>Starts, and turns what the system says about ports into a refusal.</summary>
    public static async Task ExplainPorts(Func<Task> start, ServerSettings settings)
    {
        try
        {
            await start();
        }
        catch (IOException e) when (e.InnerException is AddressInUseException)
        {
            throw new TlfsException(Reason.Busy, $"{e.Message.ReplaceLineEndings(" ").TrimEnd('.')}; stop the other program or set {Variables}", e);
        }
        catch (Exception e) when (e is SocketException or IOException { InnerException: SocketException } or AddressInUseException)
        {
            throw new TlfsException(Reason.InputOutput, $"{Where(settings)}: {e.Message.ReplaceLineEndings(" ")} Set {Variables}", e);
        }
    }

    private static Exception Innermost(Exception e) => e.InnerException is { } inner ? Innermost(inner) : e;

    private static string Variables => $"{SettingCatalog.HttpPort.Variable}, {SettingCatalog.GrpcPort.Variable} or {SettingCatalog.Bind.Variable}";

    private static string Where(ServerSettings settings) =>
        $"cannot listen on {settings.Bind?.ToString() ?? "localhost"}, ports {settings.HttpPort} and {settings.GrpcPort}";
}
