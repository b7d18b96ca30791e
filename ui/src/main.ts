import { mount } from 'svelte'
import { transport } from '#transport'
import App from './App.svelte'
import './app.css'

const target = document.getElementById('app')
if (target) mount(App, { target, props: { transport } })
