# In $PROFILE:  tasks --completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName tasks, taskwright -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $program = (Split-Path -Leaf $commandAst.CommandElements[0].Extent.Text) -replace '\.(cmd|ps1)$', ''
  if ($program -notin 'tasks', 'taskwright') { return }
  $words = @($commandAst.CommandElements | Select-Object -Skip 1 | Where-Object { $_.Extent.EndOffset -lt $cursorPosition } | ForEach-Object {
    if ($_ -is [System.Management.Automation.Language.StringConstantExpressionAst]) { $_.Value } else { $_.Extent.Text }
  })
  & $program __complete @words "$wordToComplete" 2>$null | ForEach-Object {
    if ($_.StartsWith(':files')) { return }
    $value, $about = $_ -split "`t", 2
    if (-not $about) { $about = $value }
    $typed = if ($value -match '[^\w./:=@%+-]') { "'" + $value.Replace("'", "''") + "'" } else { $value }
    [System.Management.Automation.CompletionResult]::new($typed, $value, 'ParameterValue', $about)
  }
}
