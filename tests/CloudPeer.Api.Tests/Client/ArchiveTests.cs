using System.Text;
using CloudPeer.TestKit;
using Tlfs.Client;
using Tlfs.Core;
using Xunit;

namespace CloudPeer.Api.Tests.Client;

/// <summary>A whole replica in one sealed file.</summary>
public sealed class ArchiveTests
{
    private const string Passphrase = "correct horse ä";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_import_is_the_same_device_with_the_same_documents()
    {
        await using var a = await Person.CreateAsync();
        using var folder = new TempFolder("export");
        var mine = await a.Replica.CreateAsync("todoapp", Cancel);
        await mine.EditAsync(d => d["title"].Set(new string('x', 200_000)), Cancel);
        await a.Replica.ExportAsync(folder.File("file"), Passphrase, Cancel);
        Assert.DoesNotContain("xxxx", Encoding.Latin1.GetString(await File.ReadAllBytesAsync(folder.File("file"), Cancel)), StringComparison.Ordinal);

        await using var copy = await LocalFirst.ImportAsync(new() { Home = folder.File("home") }, folder.File("file"), Passphrase, Cancel);
        var theirs = Assert.Single(await copy.DocumentsAsync(Cancel));
        Assert.Equal((a.Replica.Peer, a.Replica.Account, "somebody", mine.ToJson()), (copy.Peer, copy.Account, copy.Name, theirs.ToJson()));
        await theirs.EditAsync(d => d["title"].Set("goes on"), Cancel);
        Assert.Empty(theirs.Verify().Problems);
        await Person.RefusedAsync(Reason.AlreadyInitialised, () => LocalFirst.ImportAsync(new() { Home = folder.File("home") }, folder.File("file"), Passphrase, Cancel));
    }

    [Fact]
    public async Task Nothing_but_the_passphrase_and_the_whole_file_opens_it()
    {
        await using var a = await Person.CreateAsync();
        using var folder = new TempFolder("export");
        var file = folder.File("file");
        await a.Replica.ExportAsync(file, Passphrase, Cancel);
        await Person.RefusedAsync(Reason.BadArgument, () => a.Replica.ExportAsync(file, Passphrase, Cancel));
        await Person.RefusedAsync(Reason.BadArgument, () => a.Replica.ExportAsync(folder.File("other"), string.Empty, Cancel));
        await Person.RefusedAsync(Reason.InputOutput, () => a.Replica.ExportAsync(folder.File("missing", "file"), Passphrase, Cancel));
        await Person.RefusedAsync(Reason.InputOutput, () => ImportAsync(folder, folder.File("nothing"), Passphrase));
        await Person.RefusedAsync(Reason.WrongPassphrase, () => ImportAsync(folder, file, "wrong"));

        var good = await File.ReadAllBytesAsync(file, Cancel);
        foreach (var (at, reason) in new[]
        {
            (0, Reason.InputOutput), (11, Reason.InputOutput), (12, Reason.WrongPassphrase), (27, Reason.WrongPassphrase), (28, Reason.WrongPassphrase),
            (59, Reason.WrongPassphrase), (60, Reason.InputOutput), (63, Reason.InputOutput), (64, Reason.InputOutput), (90, Reason.InputOutput),
            (good.Length / 2, Reason.InputOutput), (good.Length - 1, Reason.InputOutput),
        })
        {
            var bad = good.ToArray();
            bad[at] ^= 1;
            await RefusedAsync(folder, bad, reason);
        }

        await RefusedAsync(folder, good[..^1], Reason.InputOutput);
        await RefusedAsync(folder, [.. good, 0], Reason.InputOutput);
        await RefusedAsync(folder, good[..60], Reason.InputOutput);
        await RefusedAsync(folder, [], Reason.InputOutput);
        await Person.RefusedAsync(Reason.NotInitialised, () => LocalFirst.OpenAsync(new() { Home = folder.File("home") }, Cancel));
    }

    private static async Task RefusedAsync(TempFolder folder, byte[] bytes, Reason reason)
    {
        await File.WriteAllBytesAsync(folder.File("bad"), bytes, Cancel);
        await Person.RefusedAsync(reason, () => ImportAsync(folder, folder.File("bad"), Passphrase));
    }

    private static async Task ImportAsync(TempFolder folder, string file, string passphrase) =>
        await (await LocalFirst.ImportAsync(new() { Home = folder.File("home") }, file, passphrase, Cancel)).DisposeAsync();
}
