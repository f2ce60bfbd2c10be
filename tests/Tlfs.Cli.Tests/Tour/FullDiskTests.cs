using System.Globalization;
using CloudPeer.TestKit;
using Tlfs.Cli.Tests.Support;
using Xunit;

namespace Tlfs.Cli.Tests.Tour;

/// <summary>A full disk under a replica: said in one line, nothing lost, and the replica goes on when there is room again.</summary>
public sealed class FullDiskTests
{
    [Fact]
    public async Task AFullDisk_IsSaid_AndNothingIsLost()
    {
        using var folder = new TempFolder("disk");
        Assert.SkipUnless(await MountAsync(folder), "this user may not mount a small file system");
        try
        {
            await FillAsync(folder);
        }
        finally
        {
            await ShellAsync("umount \"$1\"", folder);
        }
    }

    private static async Task FillAsync(TempFolder folder)
    {
        using var outside = Person.Inside();
        string[] home = ["--home", folder.File("home")];
        Task<Run> Tool(string input, params string[] args) => Person.InsideAsync(input, [.. home, .. args]);

        (await Tool("", "init")).Done();
        (await Tool("", "schema", "add", Schemas.WriteTour(outside))).Done();
        var document = (await Tool("", "--json", "doc", "create", "todoapp")).Text("doc");
        (await Tool("", "doc", "set", document, ".title", "\"before\"")).Done();

        // Edits until one does not fit any more.
        var filler = folder.File("filler");
        await ShellAsync("dd if=/dev/zero of=\"$1/filler\" bs=1k 2>/dev/null; true", folder);
        var kept = "before";
        Run run;
        var round = 0;
        while ((run = await Tool("", "doc", "set", document, ".title", $"\"{Text(round)}\"")).ExitCode == 0) kept = Text(round++);
        run.Failed("storage-full");
        Assert.Empty(run.Output);

        File.Delete(filler);
        Assert.Equal($"\"{kept}\"\n", (await Tool("", "doc", "show", document, ".title")).Done().Output);
        (await Tool("", "doc", "set", document, ".title", "\"after\"")).Done();
        Assert.Equal("\"after\"\n", (await Tool("", "doc", "show", document, ".title")).Done().Output);
        Assert.Equal(0, (await Tool("", "--json", "doc", "verify", document)).Json.GetProperty("problems").GetArrayLength());
    }

    // Large enough that few rounds fill whatever room the database keeps in its files.
    private static string Text(int round) => round.ToString(CultureInfo.InvariantCulture).PadRight(20_000, 'x');

    private static async Task<bool> MountAsync(TempFolder folder) =>
        OperatingSystem.IsLinux() && (await ShellAsync("mount -t tmpfs -o size=2m,mode=700 tmpfs \"$1\"", folder)).ExitCode == 0;

    private static Task<ProcessResult> ShellAsync(string script, TempFolder folder) =>
        ProcessRunner.RunAsync(new("/bin/sh", ["-c", script, "sh", folder.Path]), CancellationToken.None);
}
